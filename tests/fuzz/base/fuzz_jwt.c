/* Tokens and keys: nothing that is read is believed without a key, and a key that is published reads again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_token(struct sv text, const struct jwt_key *k)
{
	AUTO(jwt) t = { 0 };

	if (jwt_read(text, &t, NULL) < 0)
		return;
	(void)!jwt_check_time(doc_root(t.claims), 0, 0, NULL);
	(void)jwt_is_for(doc_root(t.claims), "a");
	if (jwt_verify(&t, k))
		abort();        /* nobody knows the private half */
}

static void read_key(struct sv text)
{
	AUTO_DOC d = NULL;
	struct jwt_key *k, *again;

	if (json_read(text, "key", 0, &d, NULL) < 0 || !(k = jwt_key_jwk(doc_root(d), NULL)))
		return;
	if (!(again = jwt_key_jwk(jwt_key_public(k, d), NULL)))
		abort();
	jwt_key_free(&again);
	jwt_key_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jwt_key *mine;
	struct sv text = { (const char *)data, size };

	if (!mine && !(mine = jwt_key_generate()))
		abort();
	read_token(text, mine);
	read_key(text);
	return 0;
}
