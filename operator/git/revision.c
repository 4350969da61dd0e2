/* operator/git/revision.c - which commit a revision names. */
#include "operator/git/revision.h"

#include "base/semver.h"
#include "base/vec.h"

#define SHOWN 8                         /* branches and tags that a message names */

static const char heads[] = "refs/heads/", tags[] = "refs/tags/";

static struct revision *find(const struct git_refs *r, struct sv name)
{
	for (size_t i = 0; i < r->n; i++)
		if (sv_eq_c(name, r->v[i].name))
			return &r->v[i];
	return NULL;
}

void git_refs_add(struct git_refs *r, struct sv name, const char *sha)
{
	static const struct sv peeled = SV("^{}");
	struct revision *to = NULL, fresh = { 0 };

	if (sv_ends(name, peeled))
		to = find(r, (struct sv){ name.p, name.n - peeled.n });
	if (!to) {
		if (sv_ends(name, peeled))
			return;
		fresh.name = sv_dup(name);
		vec_push(r, fresh);
		to = &r->v[r->n - 1];
	}
	size_t n = strnlen(sha, REVISION_SIZE - 1);
	memcpy(to->sha, sha, n);
	to->sha[n] = '\0';
}

void git_refs_free(struct git_refs *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	vec_free(r);
}

bool revision_is_sha(const char *revision)
{
	return revision && strlen(revision) == REVISION_SIZE - 1 &&
	       strspn(revision, "0123456789abcdefABCDEF") == REVISION_SIZE - 1;
}

static const struct revision *find_below(const struct git_refs *r, const char *folder, const char *name)
{
	AUTO(str) full = { 0 };

	str_addf(&full, "%s%s", folder, name);
	return find(r, str_sv(&full));
}

/* The highest tag in the range; less than 0: wanted is not a range. */
static int pick_version(const struct git_refs *r, const char *wanted, const char *prefix, const struct revision **out)
{
	struct semver v, best = { 0 };
	int in;

	*out = NULL;
	TRY(semver_match(sv_c(wanted), &best, NULL));
	for (size_t i = 0; i < r->n; i++) {
		struct sv name = sv_c(r->v[i].name);
		if (!sv_starts(name, SV("refs/tags/")))
			continue;
		name = sv_drop(name, sizeof tags - 1);
		if (!sv_starts(name, sv_c(prefix)) || !semver_parse(sv_drop(name, sv_c(prefix).n), &v))
			continue;
		TRY(in = semver_match(sv_c(wanted), &v, NULL));
		if (in && (!*out || semver_cmp(&v, &best) > 0)) {
			*out = &r->v[i];
			best = v;
		}
	}
	return 0;
}

static void add_names(struct str *to, const struct git_refs *r, const char *folder, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (!sv_starts(sv_c(r->v[i].name), sv_c(folder)))
			continue;
		if (n < SHOWN)
			str_addf(to, "%s%s", n ? ", " : what, r->v[i].name + strlen(folder));
		n++;
	}
	if (n > SHOWN)
		str_addf(to, " and %zu more", n - SHOWN);
}

static int not_found(const struct git_refs *r, const char *wanted, bool is_range, struct err *err)
{
	AUTO(str) names = { 0 };

	if (!r->n)
		return err_set(err, ERR_NOT_FOUND, "the repository is empty: push a commit to it");
	add_names(&names, r, heads, "; its branches: ");
	add_names(&names, r, tags, "; its tags: ");
	if (!*wanted || !strcmp(wanted, "HEAD"))
		return err_set(err, ERR_NOT_FOUND, "the repository's HEAD names a branch that does not exist%s", str_c(&names));
	if (is_range)
		return err_set(err, ERR_NOT_FOUND, "no tag is in the range of versions '%s'%s", wanted, str_c(&names));
	return err_set(err, ERR_NOT_FOUND, "revision '%s' is not a branch or a tag of the repository%s%s", wanted, str_c(&names),
		       strlen(wanted) >= 7 && strspn(wanted, "0123456789abcdef") == strlen(wanted) ?
		       "; a commit is named by all 40 digits of its id" : "");
}

int revision_pick(const struct git_refs *r, const char *wanted, const char *tag_prefix, const struct revision **out,
		  struct err *err)
{
	if (!wanted || !*wanted)
		wanted = "HEAD";
	if ((*out = find(r, sv_c(wanted))) || (*out = find_below(r, heads, wanted)) || (*out = find_below(r, tags, wanted)))
		return 0;
	bool is_range = strcmp(wanted, "HEAD") && pick_version(r, wanted, tag_prefix ? tag_prefix : "", out) >= 0;
	return *out ? 0 : not_found(r, wanted, is_range, err);
}

/* ---- the other way round ---- */

static bool is_named(const char *revision, const char *ref)
{
	struct sv r = sv_c(ref), wanted = sv_c(revision);

	return sv_eq(wanted, r) || (sv_starts(r, SV("refs/heads/")) && sv_eq(sv_drop(r, 11), wanted)) ||
	       (sv_starts(r, SV("refs/tags/")) && sv_eq(sv_drop(r, 10), wanted));
}

static bool in_range(const char *revision, const char *prefix, const char *ref)
{
	struct sv tag = sv_drop(sv_c(ref), strlen("refs/tags/"));
	struct semver v;

	if (!sv_starts(sv_c(ref), SV("refs/tags/")) || !sv_starts(tag, sv_c(prefix)) || !semver_parse(sv_drop(tag, sv_c(prefix).n), &v))
		return false;
	return semver_match(sv_c(revision), &v, NULL) == 1;
}

bool revision_follows(const char *revision, const char *prefix, const struct ref_change *changes, size_t n, const char *head)
{
	bool default_branch = !revision || !*revision || str_eq(revision, "HEAD");

	for (size_t i = 0; i < n; i++) {
		if (default_branch ? str_eq(changes[i].name, "HEAD") || (*head && str_eq(changes[i].name, head)) :
		    is_named(revision, changes[i].name) || in_range(revision, prefix, changes[i].name))
			return true;
	}
	return false;
}
