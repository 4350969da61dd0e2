#include "render/chart/schema-format.h"

#include "base/regex.h"
#include "base/utf8.h"

#include <arpa/inet.h>
#include <ctype.h>

static bool is_digits(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static int number(struct sv s)
{
	int v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (s.p[i] - '0');
	return v;
}

static struct sv part(struct sv s, size_t from, size_t n) { return (struct sv){ s.p + from, n }; }

/* ---- times (RFC 3339) ---- */

static bool is_date(struct sv s)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !is_digits(part(s, 0, 4)) || !is_digits(part(s, 5, 2)) || !is_digits(part(s, 8, 2)))
		return false;
	int year = number(part(s, 0, 4)), month = number(part(s, 5, 2)), day = number(part(s, 8, 2));
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* "Z" or "+01:30"; minutes: what has to be taken away to get UTC. */
static bool is_offset(struct sv s, int *minutes)
{
	*minutes = 0;
	if (s.n == 1)
		return s.p[0] == 'Z' || s.p[0] == 'z';
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || !is_digits(part(s, 1, 2)) || !is_digits(part(s, 4, 2)))
		return false;
	int h = number(part(s, 1, 2)), m = number(part(s, 4, 2));
	*minutes = (s.p[0] == '-' ? -1 : 1) * (h * 60 + m);
	return h < 24 && m < 60;
}

static bool is_time(struct sv s)
{
	size_t at = 8;
	int offset;

	if (s.n < 9 || s.p[2] != ':' || s.p[5] != ':' || !is_digits(part(s, 0, 2)) || !is_digits(part(s, 3, 2)) || !is_digits(part(s, 6, 2)))
		return false;
	int h = number(part(s, 0, 2)), m = number(part(s, 3, 2)), second = number(part(s, 6, 2));
	if (s.p[at] == '.') {
		size_t digits = 0;

		while (at + 1 + digits < s.n && isdigit((unsigned char)s.p[at + 1 + digits]))
			digits++;
		if (!digits)
			return false;
		at += 1 + digits;
	}
	if (!is_offset(sv_drop(s, at), &offset) || h > 23 || m > 59)
		return false;
	int utc = ((h * 60 + m - offset) % 1440 + 1440) % 1440;
	return second < 60 || (second == 60 && utc == 23 * 60 + 59);    /* a leap second is the last of a day */
}

static bool is_date_time(struct sv s)
{
	return s.n > 11 && is_date(part(s, 0, 10)) && (s.p[10] == 'T' || s.p[10] == 't') && is_time(sv_drop(s, 11));
}

/* ---- names and addresses ---- */

static bool is_ipv4(struct sv s)
{
	AUTO(str) text = { 0 };
	unsigned char address[4];

	str_add(&text, s);
	return text.n == strlen(str_c(&text)) && inet_pton(AF_INET, str_c(&text), address) == 1;
}

static bool is_ipv6(struct sv s)
{
	AUTO(str) text = { 0 };
	unsigned char address[16];

	str_add(&text, s);
	return text.n == strlen(str_c(&text)) && inet_pton(AF_INET6, str_c(&text), address) == 1;
}

static bool is_label(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-')
			return false;
	return s.n && s.n <= 63 && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

static bool is_hostname(struct sv s)
{
	struct sv label;

	if (!s.n || s.n > 253)
		return false;
	for (bool more = true; more;) {
		more = sv_cut(s, '.', &label, &s);
		if (!is_label(label))
			return false;
	}
	return true;
}

static bool is_email(struct sv s)
{
	struct sv local, domain;
	bool dot = true;

	if (!sv_cut_last(s, '@', &local, &domain) || !local.n || local.n > 64)
		return false;
	if (local.p[0] == '"')
		return local.n > 2 && local.p[local.n - 1] == '"';
	for (size_t i = 0; i < local.n; i++) {
		unsigned char c = (unsigned char)local.p[i];

		if (c == '.' ? dot : c < 0x80 && !isalnum(c) && !strchr("!#$%&'*+-/=?^_`{|}~", c))
			return false;
		dot = c == '.';
	}
	if (dot)
		return false;
	if (sv_starts(domain, SV("[IPv6:")) && sv_ends(domain, SV("]")))
		return is_ipv6(part(domain, 6, domain.n - 7));
	if (sv_starts(domain, SV("[")) && sv_ends(domain, SV("]")))
		return is_ipv4(part(domain, 1, domain.n - 2));
	return is_hostname(domain) || memchr(domain.p, 0xc3, domain.n);
}

/* Characters of an address; international ones have those above ASCII, too. */
static bool has_uri_characters(struct sv s, bool international)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '%') {
			if (i + 2 >= s.n || !isxdigit((unsigned char)s.p[i + 1]) || !isxdigit((unsigned char)s.p[i + 2]))
				return false;
		} else if (c >= 0x80 ? !international : c <= ' ' || c == 0x7f || strchr("\"<>\\^`{|}", c)) {
			return false;
		}
	}
	return true;
}

/* [user@]host[:port] */
static bool is_authority(struct sv s)
{
	struct sv user, host = s, port;

	if (sv_cut_last(s, '@', &user, &host) && (memchr(user.p, '[', user.n) || memchr(user.p, '@', user.n)))
		return false;
	if (host.n && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.n);

		if (!end || !is_ipv6(part(host, 1, (size_t)(end - host.p) - 1)))
			return false;
		host = sv_drop(host, (size_t)(end + 1 - host.p));
	}
	if (sv_cut(host, ':', &host, &port) && port.n && !is_digits(port))
		return false;
	return !memchr(host.p, '[', host.n) && !memchr(host.p, ']', host.n);
}

static bool is_reference(struct sv s, bool international)
{
	struct sv head, fragment = { "", 0 };
	size_t n = 0;

	if (!has_uri_characters(s, international))
		return false;
	(void)sv_cut(s, '#', &head, &fragment);
	if (memchr(fragment.p, '#', fragment.n))
		return false;
	const char *at = memmem(head.p, head.n, "//", 2);
	bool authority = at && (at == head.p || at[-1] == ':');
	if (!authority)
		return !memchr(head.p, '[', head.n) && !memchr(head.p, ']', head.n);
	struct sv rest = sv_drop(head, (size_t)(at + 2 - head.p));
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	return is_authority(part(rest, 0, n)) && !memchr(rest.p + n, '[', rest.n - n);
}

static bool has_scheme(struct sv s)
{
	size_t n = 0;

	while (n < s.n && (isalnum((unsigned char)s.p[n]) || strchr("+-.", s.p[n])))
		n++;
	return n && n < s.n && s.p[n] == ':' && isalpha((unsigned char)s.p[0]);
}

static bool is_uri(struct sv s) { return has_scheme(s) && is_reference(s, false); }
static bool is_uri_reference(struct sv s) { return is_reference(s, false); }
static bool is_iri(struct sv s) { return has_scheme(s) && is_reference(s, true); }
static bool is_iri_reference(struct sv s) { return is_reference(s, true); }

static bool is_uuid(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
			return false;
	return s.n == 36;
}

/* ---- expressions ---- */

static bool is_json_pointer(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' && (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return !s.n || s.p[0] == '/';
}

static bool is_relative_pointer(struct sv s)
{
	size_t n = 0;

	while (n < s.n && isdigit((unsigned char)s.p[n]))
		n++;
	if (!n || (n > 1 && s.p[0] == '0'))
		return false;
	return sv_eq_c(sv_drop(s, n), "#") || is_json_pointer(sv_drop(s, n));
}

static bool is_regex(struct sv s)
{
	AUTO(str) pattern = { 0 };
	struct regex re;

	str_add(&pattern, s);
	int r = regex_init(&re, str_c(&pattern), false, NULL);
	regex_free(&re);
	return r >= 0;
}

/* ISO 8601: P3Y6M4DT12H30M5S, P4W */
static bool is_duration(struct sv s)
{
	static const char date_units[] = "YMD", time_units[] = "HMS";
	const char *units = date_units;
	size_t parts = 0;

	if (s.n < 2 || s.p[0] != 'P')
		return false;
	if (s.p[s.n - 1] == 'W')
		return is_digits(part(s, 1, s.n - 2));
	for (s = sv_drop(s, 1); s.n;) {
		size_t n = 0;
		const char *unit;

		if (s.p[0] == 'T' && units >= date_units && units <= date_units + 3) {
			units = time_units;
			parts = 0;
			s = sv_drop(s, 1);
			continue;
		}
		while (n < s.n && isdigit((unsigned char)s.p[n]))
			n++;
		if (!n || n == s.n || !(unit = strchr(units, s.p[n])))
			return false;
		if (parts++ && unit != units)
			return false;           /* years and days without months between them */
		units = unit + 1;
		s = sv_drop(s, n + 1);
	}
	return parts > 0;
}

static const struct { const char *name; bool (*accepts)(struct sv s); } formats[] = {
	{ "date", is_date }, { "date-time", is_date_time }, { "time", is_time }, { "duration", is_duration }, { "email", is_email },
	{ "hostname", is_hostname }, { "idn-email", is_email }, { "ipv4", is_ipv4 }, { "ipv6", is_ipv6 }, { "iri", is_iri },
	{ "iri-reference", is_iri_reference }, { "json-pointer", is_json_pointer }, { "regex", is_regex },
	{ "relative-json-pointer", is_relative_pointer }, { "uri", is_uri }, { "uri-reference", is_uri_reference }, { "uuid", is_uuid },
};

bool schema_format_accepts(const char *format, struct sv text)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (str_eq(format, formats[i].name))
			return formats[i].accepts(text);
	return true;
}
