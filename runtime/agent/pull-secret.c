#include "runtime/agent/pull-secret.h"

#include "base/encode.h"
#include "base/json.h"

bool pull_secret_find(const struct node *secret, const char *registry, struct registry_login *out)
{
	const struct node *data = node_get(secret, "data"), *config = node_get(data, ".dockerconfigjson");
	AUTO(str) text = { 0 };
	AUTO_DOC d = NULL;

	if (base64_decode(&text, node_sv(config ? config : node_get(data, ".dockercfg")), NULL) < 0 ||
	    json_read(str_sv(&text), "image pull secret", 0, &d, NULL) < 0)
		return false;
	return registry_login_find(config ? node_get(doc_root(d), "auths") : doc_root(d), registry, out);
}
