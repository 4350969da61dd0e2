#include "runtime/agent/dns-message.h"

#include <ctype.h>

#define HEAD        12
#define PLAIN_ROOM  512
#define FLAG_ANSWER 0x80
#define FLAG_OURS   0x04        /* authoritative */
#define FLAG_CUT    0x02
#define FLAG_WANTED 0x01        /* recursion: asked for in a question, and copied */
#define FLAG_OFFERED 0x80       /* recursion: offered, in the second byte */
#define OPT         41

static uint16_t u16(struct sv p,
	size_t at) { return (uint16_t)((unsigned char)p.p[at] << 8 | (unsigned char)p.p[at + 1]); }

static void put16(struct str *out, unsigned v)
{
	str_add1(out, (char)(v >> 8));
	str_add1(out, (char)v);
}

static void put32(struct str *out, uint32_t v)
{
	put16(out, v >> 16);
	put16(out, v & 0xffff);
}

/* Labels without compression, which a question never has. Returns the place behind the name; 0: not a name. */
static size_t read_name(struct sv p, size_t at, char *out)
{
	size_t n = 0;

	for (;;) {
		if (at >= p.n)
			return 0;
		size_t len = (unsigned char)p.p[at++];

		if (!len)
			break;
		if (len > 63 || at + len > p.n || n + len + 1 > 254)
			return 0;
		if (n)
			out[n++] = '.';
		for (size_t i = 0; i < len; i++) {
			unsigned char c = (unsigned char)p.p[at++];

			/* legal in DNS, in no name of ours, and would be read as something else */
			if (!c || c == '.')
				return 0;
			out[n++] = (char)tolower(c);
		}
	}
	out[n] = '\0';
	return at;
}

/* An OPT record right behind the question says how much the client takes. */
static void read_edns(struct sv p, struct dns_question *q)
{
	if (u16(p, 10) == 0 || u16(p, 6) || u16(p, 8) || q->end + 11 > p.n || p.p[q->end] || u16(p, q->end + 1) != OPT)
		return;
	q->edns = true;
	q->room = u16(p, q->end + 3);
	if (q->room < PLAIN_ROOM)
		q->room = PLAIN_ROOM;
	if (q->room > DNS_PACKET_MAX)
		q->room = DNS_PACKET_MAX;
}

int dns_question_read(struct sv p, struct dns_question *q)
{
	*q = (struct dns_question){ .end = HEAD, .room = PLAIN_ROOM };
	if (p.n < HEAD || ((unsigned char)p.p[2] & FLAG_ANSWER))
		return -1;
	if ((unsigned char)p.p[2] & 0x78)
		return DNS_NOT_IMPLEMENTED;
	if (u16(p, 4) != 1)
		return DNS_FORMAT;

	size_t at = read_name(p, HEAD, q->name);

	if (!at || at + 4 > p.n)
		return DNS_FORMAT;
	q->type = u16(p, at);
	q->end = at + 4;
	read_edns(p, q);
	return 0;
}

/* ---- answers ---- */

void dns_answer_start(struct str *out, struct sv packet, const struct dns_question *q, enum dns_code code)
{
	bool asked = q->end > HEAD;

	str_cut(out, 0);
	str_add(out, (struct sv){ packet.p, 2 });
	str_add1(out, (char)(FLAG_ANSWER | FLAG_OURS | (packet.p[2] & FLAG_WANTED)));
	str_add1(out, (char)(FLAG_OFFERED | code));
	put16(out, asked);
	put16(out, 0);
	put32(out, 0);
	if (asked)
		str_add(out, (struct sv){ packet.p + HEAD, q->end - HEAD });
}

static void count(struct str *out, size_t at)
{
	if (!++out->p[at + 1])
		out->p[at]++;
}

/* The name of the question (a pointer to it), type, class, time to live; the length comes with the data. */
static void record(struct str *out, enum dns_type type, uint32_t ttl_s)
{
	put16(out, 0xc000 | HEAD);
	put16(out, type);
	put16(out, 1);
	put32(out, ttl_s);
	count(out, 6);
}

void dns_answer_address(struct str *out, uint32_t ttl_s, struct in_addr ip)
{
	record(out, DNS_A, ttl_s);
	put16(out, 4);
	str_add(out, (struct sv){ (const char *)&ip, 4 });
}

static void put_name(struct str *out, const char *name)
{
	struct sv label, rest = sv_c(name);

	for (bool more = rest.n > 0; more;) {
		more = sv_cut(rest, '.', &label, &rest);
		if (!label.n || label.n > 63)
			continue;
		str_add1(out, (char)label.n);
		str_add(out, label);
	}
	str_add1(out, '\0');
}

static void set_length(struct str *out, size_t at)
{
	size_t n = out->n - at - 2;

	out->p[at] = (char)(n >> 8);
	out->p[at + 1] = (char)n;
}

void dns_answer_name(struct str *out, enum dns_type type, uint32_t ttl_s, const char *target)
{
	size_t at;

	record(out, type, ttl_s);
	at = out->n;
	put16(out, 0);
	put_name(out, target);
	set_length(out, at);
}

void dns_answer_service(struct str *out, uint32_t ttl_s, uint16_t port, const char *target)
{
	size_t at;

	record(out, DNS_SRV, ttl_s);
	at = out->n;
	put16(out, 0);
	put16(out, 0);          /* priority */
	put16(out, 100);        /* weight */
	put16(out, port);
	put_name(out, target);
	set_length(out, at);
}

void dns_answer_end(struct str *out, const struct dns_question *q)
{
	size_t opt = q->edns ? 11 : 0;

	if (out->n + opt > q->room) {
		str_cut(out, q->end);
		out->p[2] |= FLAG_CUT;
		out->p[6] = out->p[7] = 0;
	}
	if (!q->edns)
		return;
	str_add1(out, '\0');
	put16(out, OPT);
	put16(out, DNS_PACKET_MAX);
	put32(out, 0);
	put16(out, 0);
	count(out, 10);
}
