#include "base/metrics.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

struct series { double value; uint64_t count; uint64_t *buckets; };     /* value: a histogram's sum */

struct family { const struct metric_family *f; struct map series; };    /* text of the labels -> struct series * */

static size_t buckets_n(const struct metric_family *f)
{
	size_t n = 0;

	while (f->buckets && f->buckets[n] > 0)
		n++;
	return n;
}

/* `verb="GET",code="200"`, in which a value's quotes, backslashes and line ends are escaped. */
static void add_labels(const struct metric_family *f, const char *const *values, struct str *out)
{
	for (size_t i = 0; f->labels[i]; i++) {
		str_addf(out, "%s%s=\"", i ? "," : "", f->labels[i]);
		for (const char *c = values[i] ? values[i] : ""; *c; c++) {
			if (*c == '\n')
				str_addc(out, "\\n");
			else
				str_addf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		}
		str_add1(out, '"');
	}
}

static struct series *series_of(struct metrics *m, const struct metric_family *f, const char *const *values)
{
	struct family *fam = map_get(&m->families, sv_c(f->name));
	AUTO(str) key = { 0 };
	struct series *s;

	if (!fam) {
		if (!(fam = calloc(1, sizeof *fam)))
			abort();
		fam->f = f;
		(void)map_put(&m->families, sv_c(f->name), fam);
	}
	add_labels(f, values, &key);
	if ((s = map_get(&fam->series, str_sv(&key))))
		return s;
	if (!(s = calloc(1, sizeof *s)) || (f->buckets && !(s->buckets = calloc(buckets_n(f) + 1, sizeof *s->buckets))))
		abort();
	(void)map_put(&fam->series, str_sv(&key), s);
	return s;
}

void metric_add(struct metrics *m, const struct metric_family *f, const char *const *values, double v)
{
	struct series *s = series_of(m, f, values);

	s->value += v;
	s->count++;
	for (size_t i = 0; f->buckets && f->buckets[i] > 0; i++)
		if (v <= f->buckets[i]) {
			s->buckets[i]++;
			return;
		}
}

void metric_set(struct metrics *m, const struct metric_family *f, const char *const *values, double v)
{
	series_of(m, f, values)->value = v;
}

double metric_get(const struct metrics *m, const struct metric_family *f, const char *const *values)
{
	const struct family *fam = map_get(&m->families, sv_c(f->name));
	AUTO(str) key = { 0 };
	const struct series *s;

	add_labels(f, values, &key);
	return fam && (s = map_get(&fam->series, str_sv(&key))) ? s->value : 0;
}

/* ---- the text ---- */

static void add_value(struct str *out, double v)
{
	if (fabs(v) < 1e15 && v == floor(v))
		str_addf(out, " %.0f\n", v);
	else
		str_addf(out, " %.17g\n", v);
}

static void add_line(struct str *out, const char *name, const char *end, const char *labels, const char *more, double v)
{
	bool any = *labels || *more;

	str_addf(out, "%s%s%s%s%s%s%s", name, end, any ? "{" : "", labels, *labels && *more ? "," : "", more, any ? "}" : "");
	add_value(out, v);
}

static void add_histogram(struct str *out, const struct metric_family *f, const char *labels, const struct series *s)
{
	uint64_t below = 0;

	for (size_t i = 0; f->buckets[i] > 0; i++) {
		AUTO(str) bound = { 0 };

		below += s->buckets[i];
		str_addf(&bound, "le=\"%g\"", f->buckets[i]);
		add_line(out, f->name, "_bucket", labels, str_c(&bound), (double)below);
	}
	add_line(out, f->name, "_bucket", labels, "le=\"+Inf\"", (double)s->count);
	add_line(out, f->name, "_sum", labels, "", s->value);
	add_line(out, f->name, "_count", labels, "", (double)s->count);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct family *const *)a)->f->name, (*(struct family *const *)b)->f->name);
}

void metrics_write(const struct metrics *m, struct str *out)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	VEC(struct family *) all = { 0 };
	struct map_slot *s;

	map_each(s, &m->families)
		vec_push(&all, (struct family *)s->value);
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, by_name);
	for (size_t i = 0; i < all.n; i++) {
		const struct metric_family *f = all.v[i]->f;

		str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, types[f->type]);
		map_each(s, &all.v[i]->series) {
			if (f->type == METRIC_HISTOGRAM)
				add_histogram(out, f, s->key, s->value);
			else
				add_line(out, f->name, "", s->key, "", ((struct series *)s->value)->value);
		}
	}
	vec_free(&all);
}

void metrics_free(struct metrics *m)
{
	struct map_slot *f, *s;

	map_each(f, &m->families) {
		struct family *fam = f->value;

		map_each(s, &fam->series) {
			free(((struct series *)s->value)->buckets);
			free(s->value);
		}
		map_free(&fam->series);
		free(fam);
	}
	map_free(&m->families);
}
