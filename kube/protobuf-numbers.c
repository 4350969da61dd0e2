#include "kube/protobuf-internal.h"
#include "kube/protobuf.h"

#include <stdlib.h>

#include "base/str.h"
#include "kube/schema/tables.h"

extern const char kube_protobuf_numbers[], kube_protobuf_numbers_end[];

const struct wires *wires_of(const struct protobuf *p, const struct type *t)
{
	return t >= builtin_types && t < builtin_types + builtin_types_n ? &p->types[t - builtin_types] : NULL;
}

static const struct type *type_named(struct sv name)
{
	char *text = sv_dup(name);
	const struct type *t = builtin_type(text);

	free(text);
	return t;
}

/* "name=3*", "+core/v1.VolumeSource=2". A mistake in the file leaves a field out: a test reads them all. */
static void add_word(struct wires *to, const struct type *t, struct sv word)
{
	struct sv name, number;
	struct wire w = { 0 };
	int64_t n;

	if (!sv_cut(word, '=', &name, &number))
		return;
	w.keep = sv_ends(number, SV("*"));
	number.n -= w.keep;
	if (sv_starts(name, SV("+")))
		w.merged = type_named(sv_drop(name, 1));
	else
		w.field = type_field(t, name);
	if ((w.merged || w.field) && sv_to_i64(number, &n) && n > 0) {
		w.number = (uint32_t)n;
		vec_push(to, w);
	}
}

static bool next_word(struct sv *line, struct sv *word)
{
	*line = sv_trim(*line);
	if (!line->n)
		return false;
	struct sv all = *line;
	if (!sv_cut(all, ' ', word, line))
		*line = SV("");
	return true;
}

struct protobuf *protobuf_new(void)
{
	struct sv rest = { kube_protobuf_numbers, (size_t)(kube_protobuf_numbers_end - kube_protobuf_numbers) }, line, word;
	struct protobuf *p = calloc(1, sizeof *p);
	const struct type *t = NULL;

	if (!p || !(p->types = calloc(builtin_types_n, sizeof *p->types)))
		abort();
	while (rest.n) {
		struct sv all = rest;

		if (!sv_cut(all, '\n', &line, &rest))
			rest = SV("");
		if (!line.n || *line.p == '#')
			continue;
		if (*line.p != '\t')            /* a type; lines with a tab go on with it */
			t = next_word(&line, &word) ? type_named(word) : NULL;
		while (t && next_word(&line, &word))
			add_word(&p->types[t - builtin_types], t, word);
	}
	return p;
}

void protobuf_free(struct protobuf **pp)
{
	struct protobuf *p = TAKE(*pp);

	if (!p)
		return;
	for (size_t i = 0; i < builtin_types_n; i++)
		vec_free(&p->types[i]);
	free(p->types);
	free(p);
}
