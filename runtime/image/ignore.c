#include "runtime/image/ignore.h"

#include "base/glob.h"
#include "base/vec.h"

#include <stdlib.h>

void ignore_parse(struct ignore *ig, struct sv text)
{
	struct sv line;

	for (bool more = true; more;) {
		AUTO(str) pattern = { 0 };
		bool exception;

		more = sv_cut(text, '\n', &line, &text);
		line = sv_trim(line);
		if (!line.n || line.p[0] == '#')
			continue;
		exception = line.p[0] == '!';
		line = sv_trim(sv_drop(line, exception));
		while (sv_starts(line, SV("./")) || sv_starts(line, SV("/")))
			line = sv_drop(line, line.p[0] == '/' ? 1 : 2);
		while (line.n && line.p[line.n - 1] == '/')
			line.n--;
		str_addf(&pattern, "%s" SV_FMT, exception ? "!" : "", SV_ARG(line));
		if (line.n)
			vec_push(&ig->patterns, str_take(&pattern));
	}
}

void ignore_free(struct ignore *ig) { strings_free(&ig->patterns); }

/* The path itself, or a directory above it. */
static bool covers(struct sv pattern, struct sv path)
{
	struct sv rest;

	do
		if (glob_match(pattern, path))
			return true;
	while (sv_cut_last(path, '/', &path, &rest));
	return false;
}

bool ignore_matches(const struct ignore *ig, const char *path)
{
	bool ignored = false;

	for (size_t i = 0; i < ig->patterns.n; i++) {
		struct sv pattern = sv_c(ig->patterns.v[i]);
		bool exception = pattern.p[0] == '!';

		if (ignored == exception && covers(sv_drop(pattern, exception), sv_c(path)))
			ignored = !exception;
	}
	return ignored;
}

bool ignore_has_exceptions(const struct ignore *ig)
{
	for (size_t i = 0; i < ig->patterns.n; i++)
		if (ig->patterns.v[i][0] == '!')
			return true;
	return false;
}
