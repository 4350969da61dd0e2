/* IP addresses and networks. A value keeps its canonical text. */
#include "kube/cel/cel-internal.h"

#include <arpa/inet.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

struct address {
	bool six;
	unsigned char b[16];
};

/* No zones, and no IPv4 address in IPv6's clothes. */
static bool parse(struct sv text, struct address *out)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char c[64];

	*out = (struct address){ 0 };
	if (!text.n || text.n >= sizeof c || memchr(text.p, 0, text.n))
		return false;
	memcpy(c, text.p, text.n);
	c[text.n] = '\0';
	if (inet_pton(AF_INET, c, out->b) == 1)
		return true;
	out->six = true;
	return inet_pton(AF_INET6, c, out->b) == 1 && memcmp(out->b, mapped, sizeof mapped) != 0;
}

static void write_address(struct str *out, const struct address *a)
{
	char text[64];

	str_addc(out, inet_ntop(a->six ? AF_INET6 : AF_INET, a->b, text, sizeof text));
}

bool cel_parse_ip(struct sv text, struct str *canonical)
{
	struct address a;

	if (!parse(text, &a))
		return false;
	write_address(canonical, &a);
	return true;
}

static struct cel_value make(struct cel_eval *e, enum cel_kind kind, const struct address *a, int64_t bits)
{
	AUTO(str) text = { 0 };
	struct cel_value v;

	write_address(&text, a);
	if (kind == CEL_CIDR)
		str_addf(&text, "/%lld", (long long)bits);
	v = cel_text(e, &text);
	v.kind = (uint8_t)kind;
	return v;
}

/* ---- addresses ---- */

FN(ip)
{
	struct address x;

	(void)n;
	return parse(a->s, &x) ? make(e, CEL_IP, &x, 0)
			       : cel_fail(e, "IP Address \"" SV_FMT "\" parse error during conversion from string",
					  SV_ARG(a->s));
}

FN(is_ip)
{
	struct address x;

	(void)e;
	(void)n;
	return cel_bool(parse(a->s, &x));
}

FN(is_canonical)
{
	struct cel_value v = ip(e, a, n);

	return v.kind == CEL_ERROR ? v : cel_bool(sv_eq(v.s, a->s));
}

static struct address of(const struct cel_value *v)
{
	struct address a;

	(void)parse(v->s, &a);
	return a;
}

static bool all_zero(const struct address *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a->b[i])
			return false;
	return true;
}

static bool unspecified(const struct address *a) { return all_zero(a, a->six ? 16 : 4); }
static bool loopback(const struct address *a) { return a->six ? all_zero(a, 15) && a->b[15] == 1 : a->b[0] == 127; }
static bool multicast(const struct address *a) { return a->six ? a->b[0] == 0xff : (a->b[0] & 0xf0) == 0xe0; }
static bool link_local(const struct address *a)
{
	return a->six ? a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80 : a->b[0] == 169 && a->b[1] == 254;
}
static bool link_local_multicast(const struct address *a)
{
	return a->six ? a->b[0] == 0xff && (a->b[1] & 0x0f) == 2 : a->b[0] == 224 && !a->b[1] && !a->b[2];
}
static bool broadcast(const struct address *a)
{
	return !a->six && a->b[0] == 255 && a->b[1] == 255 && a->b[2] == 255 && a->b[3] == 255;
}
static bool global(const struct address *a)
{
	return !unspecified(a) && !loopback(a) && !multicast(a) && !link_local(a) && !broadcast(a);
}

FN(family)
{
	struct address x = of(a);

	(void)e;
	(void)n;
	return cel_int(x.six ? 6 : 4);
}

#define QUESTION(name, test)                                                                                           \
	FN(name)                                                                                                       \
	{                                                                                                              \
		struct address x = of(a);                                                                              \
                                                                                                                       \
		(void)e;                                                                                               \
		(void)n;                                                                                               \
		return cel_bool(test(&x));                                                                             \
	}

QUESTION(is_unspecified, unspecified)
QUESTION(is_loopback, loopback)
QUESTION(is_link_local_multicast, link_local_multicast)
QUESTION(is_link_local, link_local)
QUESTION(is_global, global)

/* ---- networks ---- */

static bool parse_network(struct sv text, struct address *a, int64_t *bits)
{
	struct sv address, length;

	return sv_cut(text, '/', &address, &length) && parse(address, a) && length.n && length.n < 4 &&
	       *length.p != '+' && *length.p != '-' && (length.n == 1 || *length.p != '0') && sv_to_i64(length, bits) &&
	       *bits <= (a->six ? 128 : 32);
}

static struct address mask(struct address a, int64_t bits)
{
	for (int64_t i = 0; i < 16; i++) {
		int64_t left = bits - i * 8;

		a.b[i] &= (unsigned char)(left >= 8 ? 0xff : left <= 0 ? 0 : 0xff << (8 - left));
	}
	return a;
}

FN(cidr)
{
	struct address x;
	int64_t bits;

	(void)n;
	return parse_network(a->s, &x, &bits)
		       ? make(e, CEL_CIDR, &x, bits)
		       : cel_fail(e, "network address parse error during conversion from string: \"" SV_FMT "\"",
				  SV_ARG(a->s));
}

FN(is_cidr)
{
	struct address x;
	int64_t bits;

	(void)e;
	(void)n;
	return cel_bool(parse_network(a->s, &x, &bits));
}

static bool holds(const struct address *net, int64_t bits, const struct address *a)
{
	struct address x = mask(*net, bits), y = mask(*a, bits);

	return x.six == y.six && !memcmp(x.b, y.b, sizeof x.b);
}

FN(contains_ip)
{
	struct cel_value v = a[1].kind == CEL_STRING ? ip(e, &a[1], 1) : a[1];
	struct address net, x;
	int64_t bits;

	(void)n;
	if (v.kind == CEL_ERROR || !parse_network(a->s, &net, &bits))
		return v;
	x = of(&v);
	return cel_bool(holds(&net, bits, &x));
}

FN(contains_cidr)
{
	struct cel_value v = a[1].kind == CEL_STRING ? cidr(e, &a[1], 1) : a[1];
	struct address net, inner;
	int64_t bits, inner_bits;

	(void)n;
	if (v.kind == CEL_ERROR || !parse_network(a->s, &net, &bits) || !parse_network(v.s, &inner, &inner_bits))
		return v;
	return cel_bool(bits <= inner_bits && holds(&net, bits, &inner));
}

FN(ip_of)
{
	struct address x;
	int64_t bits;

	(void)n;
	return parse_network(a->s, &x, &bits) ? make(e, CEL_IP, &x, 0) : *a;
}

FN(prefix_length)
{
	struct address x;
	int64_t bits = 0;

	(void)n;
	return parse_network(a->s, &x, &bits) ? cel_int(bits) : cel_fail(e, "no such overload");
}

FN(masked)
{
	struct address x;
	int64_t bits = 0;

	(void)n;
	if (!parse_network(a->s, &x, &bits))
		return *a;
	x = mask(x, bits);
	return make(e, CEL_CIDR, &x, bits);
}

static const struct cel_overload rows[] = {
	{ "ip", "s>P", ip },
	{ "ip", "C.>P", ip_of },
	{ "isIP", "s>b", is_ip },
	{ "ip.isCanonical", "s>b", is_canonical },
	{ "family", "P.>i", family },
	{ "isUnspecified", "P.>b", is_unspecified },
	{ "isLoopback", "P.>b", is_loopback },
	{ "isLinkLocalMulticast", "P.>b", is_link_local_multicast },
	{ "isLinkLocalUnicast", "P.>b", is_link_local },
	{ "isGlobalUnicast", "P.>b", is_global },
	{ "cidr", "s>C", cidr },
	{ "isCIDR", "s>b", is_cidr },
	{ "containsIP", "C.P>b", contains_ip },
	{ "containsIP", "C.s>b", contains_ip },
	{ "containsCIDR", "C.C>b", contains_cidr },
	{ "containsCIDR", "C.s>b", contains_cidr },
	{ "prefixLength", "C.>i", prefix_length },
	{ "masked", "C.>C", masked },
};

const struct cel_library cel_networks = { rows, sizeof rows / sizeof *rows, NULL };
