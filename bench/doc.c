/* bench/doc - what a manifest costs: reads and writes one Pod many times. Arguments: FILE.json [SECONDS a measure] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/yaml.h"
#include "kube/patch/patch.h"
#include "kube/schema/schema.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct subject { struct sv text; struct doc *doc; struct str out, yaml; const struct kind *kind; };

static void parse(struct subject *s)
{
	AUTO_DOC d = NULL;

	if (json_read(s->text, "pod", 0, &d, NULL) < 0)
		exit(1);
}

static void dump(struct subject *s)
{
	str_cut(&s->out, 0);
	json_write(&s->out, doc_root(s->doc), 0);
}

static void dump_sorted(struct subject *s)
{
	str_cut(&s->out, 0);
	json_write(&s->out, doc_root(s->doc), JSON_SORTED | JSON_ESCAPE_HTML);
}

static void copy(struct subject *s)
{
	AUTO_DOC d = doc_copy(s->doc);
}

static void yaml_parse(struct subject *s)
{
	AUTO_DOC d = NULL;

	if (yaml_read(str_sv(&s->yaml), "pod", 0, &d, NULL) < 0)
		exit(1);
}

static void yaml_dump(struct subject *s)
{
	str_cut(&s->out, 0);
	yaml_write(&s->out, doc_root(s->doc), YAML_SORTED);
}

/* What a write does to its body, the copy that it needs included. */
static void rules(struct subject *s)
{
	AUTO_DOC d = doc_copy(s->doc);

	if (schema_prune(doc_root(d), s->kind, UNKNOWN_WARN, NULL, NULL) < 0)
		exit(1);
	schema_default(d, doc_root(d), s->kind);
	if (schema_validate(doc_root(d), NULL, s->kind, NULL) < 0)
		exit(1);
}

static void strategic(struct subject *s)
{
	AUTO_DOC d = doc_new();
	struct node *out;

	if (patch_strategic(d, doc_root(s->doc), doc_root(s->doc), s->kind->type, &out, NULL) < 0)
		exit(1);
}

static const struct { const char *name; void (*run)(struct subject *s); } measures[] = {
	{ "json parse", parse }, { "json dump", dump }, { "json dump, sorted", dump_sorted }, { "copy", copy },
	{ "yaml parse", yaml_parse }, { "yaml dump", yaml_dump }, { "prune, default, validate", rules }, { "strategic merge", strategic },
};

/* The best of seven rounds, in microseconds each. */
static double measure(void (*run)(struct subject *s), struct subject *s, double seconds)
{
	double best = 1e9;

	for (int round = 0; round < 7; round++) {
		double start = now(), spent;
		long n = 0;

		do {
			for (int i = 0; i < 100; i++)
				run(s);
			n += 100;
			spent = now() - start;
		} while (spent < seconds / 7);
		if (spent / (double)n < best)
			best = spent / (double)n;
	}
	return best * 1e6;
}

int main(int argc, char **argv)
{
	AUTO(err) e = { 0 };
	AUTO(str) text = { 0 };
	AUTO_DOC d = NULL;
	struct subject s = { 0 };

	if (argc < 2 || file_read(argv[1], 64 << 20, &text, &e) < 0 || json_read(str_sv(&text), argv[1], 0, &d, &e) < 0) {
		fprintf(stderr, "bench_doc: %s\n", argc < 2 ? "usage: bench_doc FILE.json [SECONDS]" : err_msg(&e));
		return 1;
	}
	s.text = str_sv(&text);
	s.doc = d;
	yaml_write(&s.yaml, doc_root(d), 0);
	struct kinds *kinds = kinds_new();
	s.kind = kinds_find(kinds, node_str_at(doc_root(d), "apiVersion"), node_str_at(doc_root(d), "kind"));
	if (!s.kind)
		return fprintf(stderr, "bench_doc: %s holds no object of a known kind\n", argv[1]), 1;
	printf("%-26s %zu bytes of JSON, %zu in memory (%.1fx)\n", "size", text.n, doc_bytes(d),
	       (double)doc_bytes(d) / (double)text.n);
	for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
		printf("%-26s %.2f us\n", measures[i].name, measure(measures[i].run, &s, argc > 2 ? atof(argv[2]) : 1));
	str_free(&s.out);
	str_free(&s.yaml);
	kinds_free(&kinds);
	return 0;
}
