/* operator/git/url.c - when two URLs name the same repository. */
#include "operator/git/url.h"

#include "base/str.h"

/* "host/path" in lower case. */
static void canonical(struct str *out, const char *url)
{
	struct sv s = sv_trim(sv_c(url)), host, path, head, rest;
	const char *scheme = strstr(url, "://");
	bool scp = false;

	if (scheme) {
		s = sv_c(scheme + 3);
	} else if (s.n && s.p[0] != '/' && memchr(s.p, ':', s.n)) {
		scp = true;             /* user@host:path */
	}
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	if (sv_ends(s, SV(".git")))
		s.n -= 4;
	path = (struct sv){ "", 0 };
	(void)sv_cut(s, scp ? ':' : '/', &host, &path);
	if (sv_cut_last(host, '@', &head, &rest))
		host = rest;
	if (!scp && sv_cut(host, ':', &head, &rest))
		host = head;
	if (sv_starts(host, SV("ssh.")))
		host = sv_drop(host, 4);
	str_addf(out, SV_FMT "/" SV_FMT, SV_ARG(host), SV_ARG(path));
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] = (char)(out->p[i] | 0x20);
}

bool repo_url_same(const char *a, const char *b)
{
	AUTO(str) x = { 0 };
	AUTO(str) y = { 0 };

	canonical(&x, a);
	canonical(&y, b);
	return x.n > 1 && sv_eq(str_sv(&x), str_sv(&y));
}
