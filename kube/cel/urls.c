/* url("https://host:1/path?a=b"): absolute ones, as Go's url.ParseRequestURI takes them. */
#include "kube/cel/cel-internal.h"

#include <ctype.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

struct url {
	struct sv scheme, host, path, query;
};

static bool good_escapes(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '%' &&
		    (i + 2 >= s.n || !isxdigit((unsigned char)s.p[i + 1]) || !isxdigit((unsigned char)s.p[i + 2])))
			return false;
	return true;
}

static bool is_scheme(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalpha((unsigned char)s.p[i]) &&
		    (!i || (!isdigit((unsigned char)s.p[i]) && !strchr("+-.", s.p[i]))))
			return false;
	return s.n > 0;
}

static bool is_port(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

static void split_host(struct sv host, struct sv *name, struct sv *port)
{
	const char *close = host.n ? memchr(host.p, ']', host.n) : NULL;
	struct sv rest = close ? sv_drop(host, (size_t)(close - host.p)) : host;
	struct sv head;

	*name = host;
	*port = SV("");
	if (sv_cut_last(rest, ':', &head, port))
		name->n = host.n - port->n - 1;
	if (name->n > 1 && *name->p == '[')
		*name = (struct sv){ name->p + 1, name->n - 2 };
}

static bool is_host(struct sv host)
{
	struct sv name, port;

	for (size_t i = 0; i < host.n; i++)
		if (strchr(" \"<>^`{}|\\", host.p[i]))
			return false;
	if (host.n && *host.p == '[' && !memchr(host.p, ']', host.n))
		return false;
	split_host(host, &name, &port);
	return is_port(port) && good_escapes(host);
}

static bool parse(struct sv text, struct url *u, bool fragment)
{
	struct sv rest = text, userinfo, cut;

	*u = (struct url){ 0 };
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	if (!text.n)
		return false;
	if (*text.p != '/' &&
	    (!sv_cut(text, ':', &u->scheme, &rest) || !is_scheme(u->scheme) || !rest.n || *rest.p != '/'))
		return false;
	if (fragment && sv_cut(rest, '#', &cut, &userinfo))
		rest = cut;
	if (sv_cut(rest, '?', &cut, &u->query))
		rest = cut;
	if (rest.n > 1 && rest.p[0] == '/' && rest.p[1] == '/' && (u->scheme.n || !sv_starts(rest, SV("///")))) {
		rest = sv_drop(rest, 2);
		const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
		u->host = (struct sv){ rest.p, slash ? (size_t)(slash - rest.p) : rest.n };
		rest = sv_drop(rest, u->host.n);
		if (sv_cut_last(u->host, '@', &userinfo, &cut))
			u->host = cut;
	}
	u->path = rest;
	return is_host(u->host) && good_escapes(rest);
}

bool cel_is_url(struct sv text)
{
	struct url u;

	return parse(text, &u, false);
}

static struct url of(const struct cel_value *v)
{
	struct url u;

	(void)parse(v->s, &u, true);
	return u;
}

FN(url)
{
	(void)n;
	if (!cel_is_url(a->s))
		return cel_fail(e,
				"URL parse error during conversion from string: parse \"" SV_FMT
				"\": invalid URI for request",
				SV_ARG(a->s));
	return (struct cel_value){ .kind = CEL_URL, .s = a->s };
}

FN(is_url)
{
	(void)e;
	(void)n;
	return cel_bool(cel_is_url(a->s));
}

static char hex_of(char c) { return (char)(isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10); }

static void unescape(struct str *out, struct sv s, bool plus)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n) {
			str_add1(out, (char)(hex_of(s.p[i + 1]) << 4 | hex_of(s.p[i + 2])));
			i += 2;
		} else {
			str_add1(out, plus && s.p[i] == '+' ? ' ' : s.p[i]);
		}
	}
}

FN(scheme)
{
	AUTO(str) out = { 0 };
	struct url u = of(a);

	(void)n;
	str_add(&out, u.scheme);
	for (size_t i = 0; i < out.n; i++)
		out.p[i] = (char)tolower((unsigned char)out.p[i]);
	return cel_text(e, &out);
}

FN(host)
{
	(void)e;
	(void)n;
	return cel_string(of(a).host);
}

FN(hostname)
{
	struct sv name, port;

	(void)e;
	(void)n;
	split_host(of(a).host, &name, &port);
	return cel_string(name);
}

FN(port)
{
	struct sv name, port;

	(void)e;
	(void)n;
	split_host(of(a).host, &name, &port);
	return cel_string(port);
}

FN(escaped_path)
{
	struct url u = of(a);
	AUTO(str) out = { 0 };

	(void)n;
	for (size_t i = 0; i < u.path.n; i++) {
		unsigned char c = (unsigned char)u.path.p[i];

		if (isalnum(c) || strchr("-_.~$&+,/:;=@!'()*[]%", c))
			str_add1(&out, (char)c);
		else
			str_addf(&out, "%%%02X", c);
	}
	return cel_text(e, &out);
}

static bool same(const struct cel_value *v, const struct str *key) { return sv_eq(v->s, str_sv(key)); }

/* One key=value of a query, in the map that collects them. */
static void add_pair(struct cel_eval *e, struct cel_map *m, struct sv pair)
{
	struct sv left, right = SV("");
	AUTO(str) key = { 0 }, value = { 0 };
	size_t i;

	(void)sv_cut(pair, '=', &left, &right);
	if (!pair.n || !good_escapes(pair) || memchr(pair.p, ';', pair.n) || !cel_spend(e, m->n + 1))
		return;
	unescape(&key, left, true);
	unescape(&value, right, true);
	for (i = 0; i < m->n && !same(&m->entries[i].key, &key); i++)
		;
	if (i == m->n)
		m->entries[m->n++] = (struct cel_entry){ cel_text(e, &key), cel_make_list(e->d, 0) };
	const struct cel_list *before = m->entries[i].value.list;
	struct cel_value list = cel_make_list(e->d, before->n + 1);
	memcpy(list.list->items, before->items, before->n * sizeof *before->items);
	list.list->items[before->n] = cel_text(e, &value);
	m->entries[i].value = list;
}

FN(query)
{
	struct url u = of(a);
	struct cel_map *m = doc_alloc(e->d, sizeof *m);
	size_t pairs = 1;

	(void)n;
	for (size_t i = 0; i < u.query.n; i++)
		pairs += u.query.p[i] == '&';
	m->entries = doc_alloc(e->d, pairs * sizeof *m->entries);
	for (struct sv rest = u.query, pair; rest.n;) {
		if (!sv_cut(rest, '&', &pair, &rest))
			rest = SV("");
		add_pair(e, m, pair);
	}
	return (struct cel_value){ .kind = CEL_MAP, .map = m };
}

static const struct cel_overload rows[] = {
	{ "url", "s>U", url },
	{ "isURL", "s>b", is_url },
	{ "getScheme", "U.>s", scheme },
	{ "getHost", "U.>s", host },
	{ "getHostname", "U.>s", hostname },
	{ "getPort", "U.>s", port },
	{ "getEscapedPath", "U.>s", escaped_path },
	{ "getQuery", "U.>MsLs", query },
};

const struct cel_library cel_urls = { rows, sizeof rows / sizeof *rows, NULL };
