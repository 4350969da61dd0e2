#include "render/kustomize/remote.h"

static const char *const schemes[] = { "https://", "http://", "ssh://", "git://", "file://", "git@", "git::" };
static const char *const bare_hosts[] = { "github.com/", "github.com:", "gitlab.com/", "bitbucket.org/" };

bool remote_is(const char *name)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (sv_starts(sv_c(name), sv_c(schemes[i])))
			return true;
	for (size_t i = 0; i < sizeof(bare_hosts) / sizeof(*bare_hosts); i++)
		if (sv_starts(sv_c(name), sv_c(bare_hosts[i])))
			return true;
	return false;
}

bool remote_is_file(const char *name)
{
	struct sv path, query;
	bool http = sv_starts(sv_c(name), SV("https://")) || sv_starts(sv_c(name), SV("http://"));

	sv_cut(sv_c(name), '?', &path, &query);
	return http && (sv_ends(path, SV(".yaml")) || sv_ends(path, SV(".yml")) || sv_ends(path, SV(".json")));
}

void remote_free(struct remote *r)
{
	str_free(&r->url);
	str_free(&r->path);
	str_free(&r->ref);
}

/* ref, or version as it was called before. */
static void read_query(struct sv query, struct remote *out)
{
	struct sv one, key, value;

	while (query.n) {
		sv_cut(query, '&', &one, &query);
		sv_cut(one, '=', &key, &value);
		if (!sv_eq_c(key, "ref") && !(sv_eq_c(key, "version") && !out->ref.n))
			continue;
		str_cut(&out->ref, 0);
		str_add(&out->ref, value);
	}
}

/* Where the part that names the host ends. */
static size_t host_start(struct sv name)
{
	const char *scheme = name.n ? memmem(name.p, name.n, "://", 3) : NULL;

	return scheme ? (size_t)(scheme + 3 - name.p) : 0;
}

/* The end of the repository: before `//`, behind `.git`, or behind ORGANISATION/NAME. */
static size_t repo_end(struct sv name, size_t host, size_t *path)
{
	struct sv rest = sv_drop(name, host);
	const char *twice = rest.n ? memmem(rest.p, rest.n, "//", 2) : NULL, *dot = rest.n ? memmem(rest.p, rest.n, ".git/", 5) : NULL;
	size_t slashes = 0, wanted = rest.n && memchr(rest.p, ':', rest.n) && !host ? 1 : 2;

	if (twice) {
		*path = (size_t)(twice + 2 - name.p);
		return (size_t)(twice - name.p);
	}
	if (dot) {
		*path = (size_t)(dot + 5 - name.p);
		return *path - 1;
	}
	for (size_t i = host; i < name.n; i++) {
		if (name.p[i] != '/' || slashes++ < wanted)
			continue;
		*path = i + 1;
		return i;
	}
	*path = name.n;
	return name.n;
}

int remote_parse(const char *name, struct remote *out, struct err *err)
{
	struct sv whole, query;
	size_t end, path;

	sv_cut(sv_c(name), '?', &whole, &query);
	if (sv_starts(whole, SV("git::")))
		whole = sv_drop(whole, 5);
	read_query(query, out);
	end = repo_end(whole, host_start(whole), &path);
	if (!host_start(whole) && !sv_starts(whole, SV("git@")))
		str_addc(&out->url, "https://");
	str_add(&out->url, (struct sv){ whole.p, end });
	str_add(&out->path, sv_drop(whole, path));
	if (end <= host_start(whole))
		return err_set(err, ERR_INVALID, "'%s' names no repository", name);
	return 0;
}
