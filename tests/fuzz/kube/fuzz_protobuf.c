/* Bodies in protobuf: what is read is a document that can be written. */
#include "base/json.h"
#include "kube/protobuf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct protobuf *p;
	struct sv in = { (const char *)data, size };
	AUTO_DOC d = NULL;
	AUTO(str) json = { 0 };
	AUTO(err) err = { 0 };

	if (!p)
		p = protobuf_new();
	int r = protobuf_read(p, in, &d, &err);
	if ((r < 0) != !d || (r < 0) != !!err.code)
		abort();
	if (d)
		json_write(&json, doc_root(d), 0);
	return 0;
}
