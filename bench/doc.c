/* bench/doc - what a manifest costs: reads and writes one Pod many times. Arguments: FILE.json [SECONDS a measure] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fs.h"
#include "base/json.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct subject { struct sv text; struct doc *doc; struct str out; };

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

static const struct { const char *name; void (*run)(struct subject *s); } measures[] = {
	{ "json parse", parse }, { "json dump", dump }, { "json dump, sorted", dump_sorted }, { "copy", copy },
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
	AUTO(str) out = { 0 };
	AUTO_DOC d = NULL;
	struct subject s = { 0 };

	if (argc < 2 || file_read(argv[1], 64 << 20, &text, &e) < 0 || json_read(str_sv(&text), argv[1], 0, &d, &e) < 0) {
		fprintf(stderr, "bench_doc: %s\n", argc < 2 ? "usage: bench_doc FILE.json [SECONDS]" : err_msg(&e));
		return 1;
	}
	s.text = str_sv(&text);
	s.doc = d;
	printf("%-20s %zu bytes of JSON, %zu in memory (%.1fx)\n", "size", text.n, doc_bytes(d),
	       (double)doc_bytes(d) / (double)text.n);
	for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
		printf("%-20s %.2f us\n", measures[i].name, measure(measures[i].run, &s, argc > 2 ? atof(argv[2]) : 1));
	str_free(&s.out);
	return 0;
}
