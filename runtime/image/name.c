#include "runtime/image/name.h"

#define NAME_MAX_N 512

void image_name_free(struct image_name *n)
{
	str_free(&n->registry);
	str_free(&n->repository);
	str_free(&n->tag);
	str_free(&n->digest);
}

bool digest_is_valid(struct sv d)
{
	if (!sv_starts(d, SV("sha256:")) || d.n != 7 + 64)
		return false;
	for (size_t i = 7; i < d.n; i++)
		if (!((d.p[i] >= '0' && d.p[i] <= '9') || (d.p[i] >= 'a' && d.p[i] <= 'f')))
			return false;
	return true;
}

static bool is_lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
static bool is_word(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

/* Path parts of lower case letters and digits, with . _ - between them: they become parts of URLs. */
static bool repository_is_valid(struct sv s)
{
	bool edge = true;       /* a letter or digit must come */

	for (size_t i = 0; i < s.n; i++) {
		bool separator = s.p[i] == '/' || s.p[i] == '.' || s.p[i] == '_' || s.p[i] == '-';

		if (!separator && !is_lower(s.p[i]))
			return false;
		if (edge && separator)
			return false;
		edge = s.p[i] == '/';
	}
	return s.n && is_lower(s.p[s.n - 1]);
}

static bool tag_is_valid(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_word(s.p[i]) && !(i && (s.p[i] == '.' || s.p[i] == '-')))
			return false;
	return s.n && s.n <= 128;
}

static bool registry_is_valid(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_word(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != ':' && s.p[i] != '[' &&
		    s.p[i] != ']')
			return false;
	return s.n > 0;
}

static int invalid(const char *text, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "image name \"%s\": %s", text, why);
}

static int parse(struct image_name *n, const char *text, struct err *err)
{
	struct sv rest = sv_c(text), head, tail, digest = { "", 0 }, tag = SV("latest"), slash;

	if (rest.n > NAME_MAX_N)
		return err_set(err, ERR_INVALID, "image name: longer than %d bytes", NAME_MAX_N);
	if (sv_cut(rest, '@', &head, &tail)) {
		digest = tail;
		rest = head;
		tag = (struct sv){ "", 0 };
		if (!digest_is_valid(digest))
			return invalid(text, "the digest must be sha256: and 64 hexadecimal digits", err);
	}
	if (sv_cut_last(rest, ':', &head, &tail) && !memchr(tail.p, '/', tail.n)) {
		tag = tail;
		rest = head;
		if (!tag_is_valid(tag))
			return invalid(text, "the tag may have letters, digits, _, . and -, 128 at most", err);
	}
	if (sv_cut(rest, '/', &head, &slash) &&
	    (memchr(head.p, '.', head.n) || memchr(head.p, ':', head.n) || sv_eq_c(head, "localhost"))) {
		if (!registry_is_valid(head))
			return invalid(text, "the registry is not a host name", err);
		str_add(&n->registry, head);
		rest = slash;
	}
	if (!repository_is_valid(rest))
		return invalid(text, "the repository must be of lower case letters, digits, and . _ - / between them",
			       err);
	str_add(&n->repository, rest);
	str_add(&n->tag, tag);
	str_add(&n->digest, digest);
	return 0;
}

int image_name_parse(struct image_name *n, const char *text, struct err *err)
{
	*n = (struct image_name){ 0 };
	int r = parse(n, text, err);
	if (r < 0)
		image_name_free(n);
	return r;
}

void image_name_text(const struct image_name *n, const char *registry, struct str *out)
{
	bool library = str_eq(registry, "docker.io") && !memchr(str_c(&n->repository), '/', n->repository.n);

	str_addf(out, "%s/%s%s", registry, library ? "library/" : "", str_c(&n->repository));
	if (n->digest.n)
		str_addf(out, "@%s", str_c(&n->digest));
	else
		str_addf(out, ":%s", str_c(&n->tag));
}

const char *image_name_short(const char *text)
{
	static const struct sv prefixes[] = { SV("docker.io/library/"), SV("docker.io/"), SV("localhost/") };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (sv_starts(sv_c(text), prefixes[i]))
			return text + prefixes[i].n;
	return text;
}
