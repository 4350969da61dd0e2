#include "orchestrator/api/http-internal.h"

#include "base/json.h"

/* ---- PartialObjectMetadata ---- */

void partial_metadata(struct str *out, struct item *i, const struct wanted *w)
{
	AUTO_DOC d = NULL;
	const struct node *root = i->object ? i->object->root : NULL;

	if (!root && !json_read(item_sv(i), NULL, 0, &d, NULL))
		root = doc_root(d);
	str_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":", w->version);
	json_write(out, node_get(root, "metadata"), 0);
	str_add1(out, '}');
}

void table_columns(struct str *out, const struct kind *k)
{
	(void)k;
	str_addc(out, "\"columnDefinitions\":[]");
}

void table_row(struct str *out, struct item *i, const struct wanted *w)
{
	(void)i;
	(void)w;
	str_addc(out, "{}");
}
