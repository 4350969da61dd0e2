#include "render/chart/helmignore.h"

#include "base/glob.h"
#include "base/vec.h"

#include <stdlib.h>

struct rule { char *pattern; bool negated, dir_only, anchored; };

struct helmignore { struct rule *v; size_t n, cap; };

static void add_rule(struct helmignore *i, struct sv line)
{
	struct rule r = { 0 };

	if (sv_starts(line, SV("!"))) {
		r.negated = true;
		line = sv_drop(line, 1);
	}
	if (sv_ends(line, SV("/"))) {
		r.dir_only = true;
		line.n--;
	}
	r.anchored = line.n && memchr(line.p, '/', line.n);
	if (sv_starts(line, SV("/")))
		line = sv_drop(line, 1);
	r.pattern = sv_dup(line);
	vec_push(i, r);
}

int helmignore_parse(struct sv text, const char *file, struct helmignore **out, struct err *err)
{
	struct helmignore *i = calloc(1, sizeof *i);
	struct sv line;

	if (!i)
		abort();
	*out = i;
	add_rule(i, SV("templates/.?*"));       /* Helm's own first rule: hidden files are no templates */
	while (text.n) {
		sv_cut(text, '\n', &line, &text);
		line = sv_trim(line);
		if (!line.n || *line.p == '#')
			continue;
		if (memmem(line.p, line.n, "**", 2))
			return err_set(err, ERR_INVALID, "%s: '" SV_FMT "': ** is not known here", file, SV_ARG(line));
		add_rule(i, line);
	}
	return 0;
}

void helmignore_free(struct helmignore **i)
{
	struct helmignore *gone = TAKE(*i);
	struct rule *r;

	if (!gone)
		return;
	vec_each(r, gone)
		free(r->pattern);
	vec_free(gone);
	free(gone);
}

bool helmignore_matches(const struct helmignore *i, const char *path, bool is_dir)
{
	const struct rule *r;
	const char *slash = strrchr(path, '/');
	struct sv whole = sv_c(path), base = sv_c(slash ? slash + 1 : path);

	vec_each(r, i) {
		bool match = glob_match(sv_c(r->pattern), r->anchored ? whole : base);

		if (r->negated ? !match && !(r->dir_only && !is_dir) : match && !(r->dir_only && !is_dir))
			return true;
	}
	return false;
}
