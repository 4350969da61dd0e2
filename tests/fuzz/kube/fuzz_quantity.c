/* Quantities from any text: thousandths and whole units agree, and a sign only turns them round. */
#include "kube/quantity.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	int64_t milli, value;
	bool a = quantity_milli(in, &milli), b = quantity_value(in, &value);

	if (a != b)
		abort();
	if (a && milli >= 0 && milli < INT64_MAX && value != milli / 1000 + (milli % 1000 > 0))
		abort();
	return 0;
}
