/* operator/appset/slug.c - names of branches as DNS labels. */
#include "operator/appset/slug.h"

#include "base/encode.h"

#define HASH 6
#define NAME_MAX_LENGTH 253

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct sv s)
{
	if (!s.n || s.n > SLUG_MAX || !is_plain(s.p[0]) || !is_plain(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_plain(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

void slug_write(struct str *out, struct sv name)
{
	AUTO(str) text = { 0 };
	AUTO(str) hash = { 0 };

	if (is_label(name)) {
		str_add(out, name);
		return;
	}
	for (size_t i = 0; i < name.n && text.n < SLUG_MAX - HASH - 1; i++) {
		char c = lower(name.p[i]);
		if (is_plain(c))
			str_add1(&text, c);
		else if (text.n && text.p[text.n - 1] != '-')
			str_add1(&text, '-');
	}
	while (text.n && text.p[text.n - 1] == '-')
		str_cut(&text, text.n - 1);
	sha256_hex(&hash, name);
	str_addf(out, "%s%s%.*s", str_c(&text), text.n ? "-" : "", HASH, str_c(&hash));
}

void name_normalize(struct str *out, struct sv name)
{
	AUTO(str) text = { 0 };
	struct sv s;

	for (size_t i = 0; i < name.n; i++) {
		char c = lower(name.p[i]);
		str_add1(&text, is_plain(c) || c == '-' || c == '.' ? c : '-');
	}
	str_cut(&text, text.n < NAME_MAX_LENGTH ? text.n : NAME_MAX_LENGTH);
	s = str_sv(&text);
	while (s.n && (s.p[0] == '-' || s.p[0] == '.'))
		s = sv_drop(s, 1);
	while (s.n && (s.p[s.n - 1] == '-' || s.p[s.n - 1] == '.'))
		s.n--;
	str_add(out, s);
}
