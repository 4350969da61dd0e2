#include "base/utf8.h"

/* How many continuation bytes a first byte asks for, and the least code point that needs so many; -1: not a first byte. */
static int follow(unsigned char c, uint32_t *bits, uint32_t *least)
{
	static const uint32_t min[] = { 0, 0x80, 0x800, 0x10000 };
	int n = c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;

	if (n >= 0) {
		*bits = n ? c & (0x3fu >> n) : c;
		*least = min[n];
	}
	return n;
}

uint32_t utf8_decode(const char **p, const char *end, bool *valid)
{
	const unsigned char *s = (const unsigned char *)*p;
	uint32_t c = 0, least = 0;
	int n = follow(*s, &c, &least);

	*valid = false;
	++*p;
	if (n < 0 || end - *p < n)
		return UTF8_REPLACEMENT;
	for (int i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return UTF8_REPLACEMENT;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return UTF8_REPLACEMENT;
	*p += n;
	*valid = true;
	return c;
}

uint32_t utf8_next(const char **p, const char *end)
{
	bool valid;

	return utf8_decode(p, end, &valid);
}

void utf8_add(struct str *s, uint32_t c)
{
	char b[4];
	size_t n = 0;

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = UTF8_REPLACEMENT;
	if (c < 0x80) {
		b[n++] = (char)c;
	} else {
		int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

		b[n++] = (char)((0x780u >> more & 0xff) | c >> (6 * more));
		while (more--)
			b[n++] = (char)(0x80 | (c >> (6 * more) & 0x3f));
	}
	str_add(s, (struct sv){ b, n });
}

bool utf8_valid(struct sv s)
{
	const char *p = s.p, *end = s.p + s.n;
	bool valid = true;

	while (valid && p < end) {
		if ((unsigned char)*p < 0x80)
			p++;
		else
			(void)utf8_decode(&p, end, &valid);
	}
	return valid;
}
