/* cli/image.c - `cd image`: the image store of a data directory, with or without a running server. */
#include "base/fiber.h"
#include "base/fs.h"
#include "base/json.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"
#include "runtime/image/image.h"
#include "runtime/image/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct command {
	const char *data_dir, *output, *file, *tag, *user;
	struct opt_list build_args, args;
	bool no_cache, host_network, plain_http, quiet;
	struct images *images;
	struct err err;
};

struct subcommand {
	const char *name;
	size_t min_args, max_args;
	int (*run)(struct command *c);
	struct usage usage;
};

/* ---- output ---- */

static void progress(void *arg, const char *line)
{
	const struct command *c = arg;

	if (!c->quiet)
		fprintf(stderr, "%s\n", line);
}

static bool as_json(const struct command *c) { return str_eq(c->output, "json"); }

static void print_json(const struct node *n)
{
	AUTO(str) text = { 0 };

	json_write(&text, n, JSON_INDENT);
	printf("%s\n", str_c(&text));
}

/* What a command made: its names and digests. */
static int print_images(struct command *c, const struct strings *names)
{
	AUTO_DOC d = doc_new();
	struct node *list = node_seq(d);

	for (size_t i = 0; i < names->n; i++) {
		AUTO(image) image = { 0 };
		struct node *n = node_map(d);

		TRY(image_find(c->images, names->v[i], &image, &c->err));
		node_set(d, n, "name", node_str(d, image_name_short(names->v[i])));
		node_set(d, n, "digest", node_strn(d, str_sv(&image.digest)));
		node_set(d, n, "sizeBytes", node_int(d, image.size_bytes));
		node_add(d, list, n);
		if (!as_json(c))
			printf("%s %s\n", image_name_short(names->v[i]), str_c(&image.digest));
	}
	if (as_json(c))
		print_json(list);
	return 0;
}

static int print_image(struct command *c, const char *name)
{
	char *only = (char *)(uintptr_t)name;
	const struct strings names = { &only, 1, 1 };

	return print_images(c, &names);
}

/* ---- subcommands ---- */

static int run_build(struct command *c)
{
	AUTO(str) digest = { 0 };

	vec_push(&c->build_args, NULL);
	const struct image_build_opts opts = { .file = c->file, .context = c->args.v[0], .tag = c->tag,
		.build_args = c->build_args.v, .no_cache = c->no_cache, .host_network = c->host_network,
		.progress = progress, .arg = c };
	if (!c->tag)
		return err_set(&c->err, ERR_BAD_REQUEST, "name the image with -t NAME");
	TRY(image_build(c->images, &opts, &digest, &c->err));
	return print_image(c, c->tag);
}

static int run_import(struct command *c)
{
	struct strings names = { 0 };
	int r = image_import(c->images, c->args.v[0], c->tag, &names, &c->err);

	if (r >= 0)
		r = print_images(c, &names);
	strings_free(&names);
	return r;
}

static int run_pull(struct command *c)
{
	AUTO(str) user = { 0 };
	struct image_pull_opts opts = { .plain_http = c->plain_http, .progress = progress, .arg = c };
	struct sv name, password;

	if (c->user) {
		(void)sv_cut(sv_c(c->user), ':', &name, &password);
		str_add(&user, name);
		opts.user = str_c(&user);
		opts.password = password.n ? password.p : getenv("CD_REGISTRY_PASSWORD");
	}
	for (size_t i = 0; i < c->args.n; i++) {
		TRY(image_pull(c->images, c->args.v[i], &opts, &c->err));
		TRY(print_image(c, c->args.v[i]));
	}
	return 0;
}

static int run_rm(struct command *c)
{
	for (size_t i = 0; i < c->args.n; i++)
		TRY(image_remove(c->images, c->args.v[i], &c->err));
	return 0;
}

static int run_prune(struct command *c) { return image_prune(c->images, &c->err); }

static struct node *image_node(struct doc *d, const struct image *image)
{
	struct node *n = node_map(d);

	node_set(d, n, "name", node_str(d, image_name_short(str_c(&image->name))));
	node_set(d, n, "digest", node_strn(d, str_sv(&image->digest)));
	node_set(d, n, "layers", node_int(d, (int64_t)image->layers.n));
	node_set(d, n, "sizeBytes", node_int(d, image->size_bytes));
	node_set(d, n, "createdMs", node_int(d, image->created_ms));
	return n;
}

static void print_size(int64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t unit = 0;

	for (; v >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
		v /= 1000;
	printf("  %6.*f %-2s", v < 9.95 && unit ? 1 : 0, v, units[unit]);
}

static void print_row(const struct image *image, int width)
{
	time_t t = (time_t)(image->created_ms / 1000);
	struct tm tm;
	char created[32];

	gmtime_r(&t, &tm);
	strftime(created, sizeof created, "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-*s  %.19s", width, image_name_short(str_c(&image->name)), str_c(&image->digest));
	print_size(image->size_bytes);
	printf("  %s\n", created);
}

static int run_ls(struct command *c)
{
	struct image_list list = { 0 };
	AUTO_DOC d = doc_new();
	struct node *seq = node_seq(d);
	int width = 4;

	TRY(image_list(c->images, &list, &c->err));
	for (size_t i = 0; i < list.n; i++) {
		int n = (int)strlen(image_name_short(str_c(&list.v[i].name)));

		width = n > width ? n : width;
		node_add(d, seq, image_node(d, &list.v[i]));
	}
	if (as_json(c))
		print_json(seq);
	else
		printf("%-*s  %-19s  %9s  %s\n", width, "NAME", "DIGEST", "SIZE", "CREATED (UTC)");
	for (size_t i = 0; i < list.n && !as_json(c); i++)
		print_row(&list.v[i], width);
	image_list_free(&list);
	return 0;
}

static const struct subcommand subcommands[] = {
	{ "build", 1, 1, run_build, { "image build", "[OPTIONS] -t NAME DIR",
		"Builds an image from DIR/Containerfile (or Dockerfile, or -f FILE). COPY and ADD see what is in DIR\n"
		"and not left out by .containerignore or .dockerignore. Steps whose inputs did not change are taken\n"
		"from earlier builds.",
		"  cd image build -t demo:v1 examples/demo/image" } },
	{ "import", 1, 1, run_import, { "image import", "[OPTIONS] FILE",
		"Imports images from an OCI layout or from what `docker save` writes, as a directory or a tar archive.",
		"  cd image import -t tools:1 tools.tar" } },
	{ "ls", 0, 0, run_ls, { "image ls", "[OPTIONS]", "Lists the images of the store.", "  cd image ls -o json" } },
	{ "prune", 0, 0, run_prune, { "image prune", "[OPTIONS]",
		"Removes what no image needs any more: layers of earlier builds and pulls, the kept steps of builds.",
		"  cd image prune" } },
	{ "pull", 1, 100, run_pull, { "image pull", "[OPTIONS] NAME...",
		"Pulls images from their registries. Layers that are here already are not fetched again.",
		"  cd image pull registry.example.com/team/app:1.4" } },
	{ "rm", 1, 100, run_rm, { "image rm", "[OPTIONS] NAME...",
		"Removes names from the store, and what no other name needs. What a running container uses stays until\n"
		"a later time.",
		"  cd image rm demo:v1" } },
};

static const struct usage usage = {
	"image", "COMMAND [OPTIONS] ...",
	"Works on the image store of a data directory; the server may run or not. `cd image COMMAND --help` says more.",
	"  cd image build -t demo:v1 DIR\n  cd image ls"
};

/* ---- all of it ---- */

struct call { struct command *c; const struct subcommand *sub; };

static int run(void *arg)
{
	struct call *call = arg;
	struct command *c = call->c;
	AUTO(str) dir = { 0 };

	TRY(dir_make(c->data_dir, 0700, &c->err));      /* as the server makes it: keys will be in it */
	str_addf(&dir, "%s/images", c->data_dir);
	c->images = images_open(fiber_loop(), str_c(&dir), &c->err);
	if (!c->images)
		return -(int)c->err.code;
	int r = call->sub->run(c);
	images_close(&c->images);
	return r;
}

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
		if (str_eq(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static int run_subcommand(const struct subcommand *sub, int argc, char **argv)
{
	struct command c = { .data_dir = DATA_DIR_DEFAULT, .output = "text" };
	const struct opt opts[] = {
		{ "data-dir", 0, OPT_STR, &c.data_dir, "DIR", "the directory that `cd serve` was given" },
		{ "output", 'o', OPT_STR, &c.output, "text|json", "how to print the result" },
		{ "quiet", 'q', OPT_FLAG, &c.quiet, NULL, "no progress" },
		{ "tag", 't', OPT_STR, &c.tag, "NAME", "build, import: the image's name" },
		{ "file", 'f', OPT_STR, &c.file, "FILE", "build: the Containerfile" },
		{ "build-arg", 0, OPT_LIST, &c.build_args, "NAME=VALUE",
		  "build: the value of an ARG; SOURCE_DATE_EPOCH=SECONDS bounds all times" },
		{ "no-cache", 0, OPT_FLAG, &c.no_cache, NULL, "build: run every step" },
		{ "host-network", 0, OPT_FLAG, &c.host_network, NULL,
		  "build: RUN with this machine's network, not without any" },
		{ "plain-http", 0, OPT_FLAG, &c.plain_http, NULL,
		  "pull: the registry speaks http (on loopback this is found out)" },
		{ "user", 'u', OPT_STR, &c.user, "NAME[:PASSWORD]",
		  "pull: credentials; the password also from CD_REGISTRY_PASSWORD" },
		{ 0 }
	};
	struct call call = { &c, sub };
	int code = cli_options(&sub->usage, opts, argc, argv, &c.args);

	if (code < 0 && (c.args.n < sub->min_args || c.args.n > sub->max_args))
		code = cli_usage_error(&sub->usage, "wants %s", sub->usage.synopsis);
	if (code < 0)
		code = fiber_main(run, &call) < 0 ? cli_fail(sub->usage.name, &c.err) : EXIT_OK;
	vec_free(&c.args);
	vec_free(&c.build_args);
	return code;
}

/* argv[0] names it: it came from the table below. */
static int run_named(int argc, char **argv) { return run_subcommand(find(argv[0]), argc, argv); }

static const struct verb commands[] = {
	{ "build", NULL, "make an image from a Containerfile", run_named },
	{ "import", NULL, "take images from an archive or a directory", run_named },
	{ "ls", NULL, "list the images", run_named },
	{ "prune", NULL, "remove what no image needs", run_named },
	{ "pull", NULL, "fetch images from their registries", run_named },
	{ "rm", NULL, "remove images", run_named },
	{ 0 }
};

int cmd_image(int argc, char **argv) { return cli_group(&usage, commands, argc, argv); }
