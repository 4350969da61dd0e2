/* runtime/agent/dns-message.h - questions and answers of DNS (RFC 1035, 2782, 6891). Pure. */
#pragma once

#include <netinet/in.h>
#include "base/str.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28, DNS_SRV = 33, DNS_ANY = 255 };
enum dns_code { DNS_OK = 0, DNS_FORMAT = 1, DNS_FAILED = 2, DNS_NO_NAME = 3, DNS_NOT_IMPLEMENTED = 4 };

#define DNS_PACKET_MAX 4096     /* what is read, and the most that is answered */

struct dns_question {
	char name[256];                 /* lower case, without the last dot; "" is the root */
	uint16_t type;
	size_t end;                     /* bytes of the packet up to the end of the question */
	size_t room;                    /* how long the answer may be */
	bool edns;
};

/* 0: the packet asks one question. Else the code to answer with; less than 0: do not answer at all. */
int dns_question_read(struct sv packet, struct dns_question *q);

/* An answer: start, any number of records about the question's name, end. packet is what was read. */
void dns_answer_start(struct str *out, struct sv packet, const struct dns_question *q, enum dns_code code);
void dns_answer_address(struct str *out, uint32_t ttl_s, struct in_addr ip);
void dns_answer_name(struct str *out, enum dns_type type, uint32_t ttl_s, const char *target);          /* CNAME, PTR */
void dns_answer_service(struct str *out, uint32_t ttl_s, uint16_t port, const char *target);
void dns_answer_end(struct str *out, const struct dns_question *q);      /* one that is too long is cut, and says so */
