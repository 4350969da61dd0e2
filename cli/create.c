/* cli/create.c - `cd create`: from files, or a Namespace, ConfigMap or Secret from what the command line says. */
#include "base/encode.h"
#include "base/fs.h"
#include "base/utf8.h"
#include "cli/cluster.h"
#include "cli/manifests.h"
#include "cli/print.h"
#include "cli/verbs.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DATA_MAX ((size_t)1 << 20)      /* what a ConfigMap or a Secret can hold */

struct create {
	struct cluster_opts where;
	struct opt_list args, files, literals, from_files;
	const char *dry_run, *output, *type;
	bool recursive;
};

struct making { const struct create *c; struct doc *d; struct node *root; bool secret; struct err *err; };

/* ---- data from the command line ---- */

static bool is_key(struct sv key)
{
	for (size_t i = 0; i < key.n; i++)
		if (!isalnum((unsigned char)key.p[i]) && !strchr("-_.", key.p[i]))
			return false;
	return key.n > 0;
}

static int add_entry(struct making *m, struct sv key, struct sv value)
{
	struct node *data;
	AUTO(str) text = { 0 };
	bool utf8 = utf8_valid(value);

	if (!is_key(key))
		return err_set(m->err, ERR_BAD_REQUEST, "'" SV_FMT "' is not a key: letters, digits, - _ and . are", SV_ARG(key));
	if (m->secret || !utf8)
		base64_encode(&text, value);
	else
		str_add(&text, value);
	data = node_map_at(m->d, m->root, m->secret || utf8 ? "data" : "binaryData");
	if (node_getn(data, key))
		return err_set(m->err, ERR_BAD_REQUEST, "'" SV_FMT "' is given twice", SV_ARG(key));
	node_setn(m->d, data, key, node_strn(m->d, str_sv(&text)));
	return 0;
}

static int add_file(struct making *m, struct sv key, const char *path)
{
	AUTO(str) text = { 0 };

	TRY(file_read(path, DATA_MAX, &text, m->err));
	return add_entry(m, key, str_sv(&text));
}

/* The regular files of a directory, by their names. */
static int add_dir(struct making *m, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort), r = 0;

	if (n < 0)
		return err_errno(m->err, "read directory '%s'", dir);
	for (int i = 0; i < n; i++) {
		char *path = str_fmt("%s/%s", dir, names[i]->d_name);
		struct stat st;

		if (r >= 0 && !stat(path, &st) && S_ISREG(st.st_mode))
			r = add_file(m, sv_c(names[i]->d_name), path);
		free(path);
		free(names[i]);
	}
	free(names);
	return r;
}

static int add_from_file(struct making *m, const char *text)
{
	struct sv key, path, dir;
	struct stat st;

	if (sv_cut(sv_c(text), '=', &key, &path))
		return add_file(m, key, path.p);
	if (!stat(text, &st) && S_ISDIR(st.st_mode))
		return add_dir(m, text);
	if (!sv_cut_last(sv_c(text), '/', &dir, &key))
		key = sv_c(text);
	return add_file(m, key, text);
}

static int add_data(struct making *m)
{
	struct sv key, value;

	for (size_t i = 0; i < m->c->literals.n; i++) {
		if (!sv_cut(sv_c(m->c->literals.v[i]), '=', &key, &value))
			return err_set(m->err, ERR_BAD_REQUEST, "--from-literal '%s': want KEY=VALUE", m->c->literals.v[i]);
		TRY(add_entry(m, key, value));
	}
	for (size_t i = 0; i < m->c->from_files.n; i++)
		TRY(add_from_file(m, m->c->from_files.v[i]));
	return 0;
}

/* ---- objects ---- */

static const struct { const char *word, *second, *kind; } kinds[] = {
	{ "namespace", NULL, "Namespace" }, { "ns", NULL, "Namespace" }, { "configmap", NULL, "ConfigMap" }, { "cm", NULL, "ConfigMap" },
	{ "secret", "generic", "Secret" },
};

static int make(const struct create *c, struct cluster *cl, struct doc **out, struct err *err)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t words = kinds[i].second ? 2 : 1;

		if (!str_eq(c->args.v[0], kinds[i].word) || c->args.n != words + 1 || (words == 2 && !str_eq(c->args.v[1], kinds[i].second)))
			continue;
		const struct kind *k = client_kind(cl->client, "v1", kinds[i].kind, err);
		if (!k)
			return -(int)err->code;
		*out = doc_new();
		struct making m = { .c = c, .d = *out, .secret = str_eq(kinds[i].kind, "Secret"), .err = err };
		m.root = object_start(*out, k, resource_ns(cl, k), c->args.v[words]);
		doc_set_root(*out, m.root);
		if (m.secret)
			node_set(*out, m.root, "type", node_str(*out, c->type));
		return add_data(&m);
	}
	return err_set(err, ERR_BAD_REQUEST, "want namespace NAME, configmap NAME or secret generic NAME; anything else is created with -f");
}

static int create_one(struct cluster *c, const struct create *cr, struct doc *d, struct err *err)
{
	struct node *root = doc_root(d);
	const struct kind *k = client_kind(c->client, node_str_at(root, "apiVersion"), node_str_at(root, "kind"), err);
	const struct write_opts o = { .manager = "cd", .dry_run = str_eq(cr->dry_run, "server") };
	bool local = str_eq(cr->dry_run, "client");
	AUTO_OBJECT made = NULL;
	AUTO(str) title = { 0 };

	if (!k)
		return -(int)err->code;
	if (k->namespaced && !node_str_at(root, "metadata.namespace"))
		node_put(d, root, "metadata.namespace", node_str(d, c->ns));
	if (!local)
		TRY(client_create(c->client, k, root, &o, &made, err));
	enum output as = output_parse(cr->output);
	if (as == OUTPUT_JSON || as == OUTPUT_YAML) {
		print_document(made ? made->root : root, as, stdout);
		return 0;
	}
	resource_title(k, &title);
	printf("%s/%s%s\n", str_c(&title), made ? made->name : node_str_or(root, "metadata.name", ""),
	       as == OUTPUT_NAME ? "" : local ? " created (dry run)" : o.dry_run ? " created (server dry run)" : " created");
	return 0;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	const struct create *cr = arg;
	struct docs docs = { 0 };
	struct doc *one = NULL;
	int code = EXIT_OK, r;

	if (cr->files.n) {
		r = manifests_read(c->client, &cr->files, cr->recursive, &docs, err);
	} else {
		r = make(cr, c, &one, err);
		if (one)
			vec_push(&docs, one);
	}
	for (size_t i = 0; r >= 0 && i < docs.n; i++)
		if (create_one(c, cr, docs.v[i], err) < 0)
			code = cli_fail("create", err);
	docs_free(&docs);
	return r < 0 ? r : code;
}

static const struct usage usage = {
	"create", "-f FILE | namespace NAME | configmap NAME | secret generic NAME [OPTIONS]",
	"Creates resources; what exists already is an error (see apply).",
	"  cd create namespace demo\n"
	"  cd create configmap settings --from-literal color=blue --from-file app.conf\n"
	"  cd create secret generic token --from-file key=./token.txt --dry-run client -o yaml",
};

int cmd_create(int argc, char **argv)
{
	struct create c = { .dry_run = "none", .type = "Opaque" };
	const struct opt opts[] = {
		{ "filename", 'f', OPT_LIST, &c.files, "FILE", "a file, a directory, or - for stdin; may be repeated" },
		{ "recursive", 'R', OPT_FLAG, &c.recursive, NULL, "directories below directories, too" },
		{ "from-literal", 0, OPT_LIST, &c.literals, "KEY=VALUE", "an entry; may be repeated" },
		{ "from-file", 0, OPT_LIST, &c.from_files, "[KEY=]FILE", "an entry from a file, or one for each file of a directory" },
		{ "type", 0, OPT_STR, &c.type, "NAME", "of a Secret" },
		CLUSTER_OPTIONS(c.where),
		{ "dry-run", 0, OPT_STR, &c.dry_run, "none|client|server", "only show it; server: let the server check it" },
		{ "output", 'o', OPT_STR, &c.output, "json|yaml|name", "print the objects" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &c.args);

	if (r < 0 && !c.args.n == !c.files.n)
		r = cli_usage_error(&usage, "say what to create: -f FILE, or a type and a name");
	if (r < 0)
		r = cluster_run("create", &c.where, run, &c);
	vec_free(&c.files);
	vec_free(&c.literals);
	vec_free(&c.from_files);
	vec_free(&c.args);
	return r;
}
