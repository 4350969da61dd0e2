/* A layer's archive: whatever it holds, nothing appears outside of the directory that it is unpacked to. */
#include "base/fs.h"
#include "runtime/image/unpack.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input { const uint8_t *data; size_t left; };

static ssize_t give(void *arg, const void **bytes, struct err *err)
{
	struct input *in = arg;
	size_t n = in->left;

	(void)err;
	*bytes = in->data;
	in->data += n;
	in->left = 0;
	return (ssize_t)n;
}

static size_t count(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* DIR/in is unpacked to; DIR must hold nothing else afterwards, nor may a known file of this machine change. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct unpack_opts opts = { .max_bytes = 1 << 20 };
	char dir[] = "/tmp/cd-fuzz-unpack-XXXXXX", in[64], victim[64];
	struct input input = { data, size };
	const struct unpack_source from = { give, &input };
	AUTO(err) err = { 0 };
	struct stat before, after;

	if (!mkdtemp(dir))
		abort();
	snprintf(in, sizeof in, "%s/in", dir);
	snprintf(victim, sizeof victim, "%s/victim", dir);
	if (mkdir(in, 0755) || file_write(victim, SV("untouched"), 0600, NULL) < 0 || stat(victim, &before))
		abort();
	(void)!unpack(&from, in, &opts, NULL, &err);
	if (count(dir) != 4 || stat(victim, &after) || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec ||
	    after.st_mode != before.st_mode || after.st_nlink != 1)
		abort();
	if (tree_remove(dir, &err) < 0)
		abort();
	return 0;
}
