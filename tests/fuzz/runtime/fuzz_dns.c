/* DNS packets from any pod: a question that is read is answered within its room, and the answer is never read as one. */
#include "runtime/agent/dns-message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { size ? (const char *)data : "", size };
	struct dns_question q, again;
	AUTO(str) out = { 0 };
	int code = dns_question_read(in, &q);

	if (code < 0)
		return 0;
	dns_answer_start(&out, in, &q, (enum dns_code)code);
	for (int i = 0; !code && i < 100; i++) {
		dns_answer_address(&out, 5, (struct in_addr){ 7 });
		dns_answer_name(&out, DNS_CNAME, 5, q.name);
		dns_answer_service(&out, 5, 80, q.name);
	}
	dns_answer_end(&out, &q);
	if (out.n > q.room || dns_question_read(str_sv(&out), &again) >= 0)
		abort();
	return 0;
}
