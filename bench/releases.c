/* bench/releases - one chart, many releases in one process: releases a second, and memory, which must not grow with them.
 * Arguments: CHART [RELEASES]; CHART is a directory. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/vfs.h"
#include "render/chart/chart.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, pages = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static size_t render_one(struct vfs *v, int i)
{
	char *name = str_fmt("release-%d", i);
	const struct render_opts o = { .release = name, .in_cluster = true };
	struct rendered out = { 0 };
	AUTO(err) err = { 0 };

	if (chart_render(v, "", &o, &out, &err) < 0) {
		fprintf(stderr, "bench_releases: %s\n", err_msg(&err));
		exit(1);
	}
	size_t n = out.objects.n;
	rendered_free(&out);
	free(name);
	return n;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1000;
	AUTO(err) err = { 0 };

	if (argc < 2 || n < 10) {
		fputs("usage: bench_releases CHART [RELEASES]\n", stderr);
		return 2;
	}
	struct vfs *v = vfs_dir(argv[1], &err);
	if (!v) {
		fprintf(stderr, "bench_releases: %s\n", err_msg(&err));
		return 1;
	}
	double start = now();
	size_t objects = 0;
	for (int i = 0; i < n; i++) {
		objects += render_one(v, i);
		if (i == n / 10 - 1 || i == n / 2 - 1 || i == n - 1)
			printf("%-28s after %5d: %8.1f MB resident\n", i == n - 1 ? "memory, at the end" : "memory", i + 1,
			       (double)resident_kb() / 1024);
	}
	double spent = now() - start;
	printf("%-28s %.0f releases a second, %.2f ms each, %.0f objects a second\n", "releases in one process", n / spent,
	       spent * 1000 / n, (double)objects / spent);
	vfs_free(v);
	return 0;
}
