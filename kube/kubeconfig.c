#include "kube/kubeconfig.h"

#include "base/encode.h"
#include "base/fs.h"
#include "base/vec.h"
#include "base/yaml.h"

#include <stdlib.h>

#define MAX_CONFIG (4 << 20)
#define MAX_PEM (1 << 20)
#define ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount/"

/* The files of one lookup, in their order. */
struct file { char *path; struct doc *doc; };
struct files { VEC(struct file); };

static void files_free(struct files *f)
{
	struct file *it;

	vec_each(it, f) {
		free(it->path);
		doc_drop(&it->doc);
	}
	vec_free(f);
}

static int add_file(struct files *f, struct sv path, struct err *err)
{
	AUTO(str) text = { 0 };
	struct file file = { sv_dup(path), NULL };
	int r = file_read(file.path, MAX_CONFIG, &text, err);

	if (r >= 0)
		r = yaml_read(str_sv(&text), file.path, 0, &file.doc, err);
	if (r < 0) {
		free(file.path);
		return err_wrap(err, r, "kubeconfig");
	}
	vec_push(f, file);
	return 0;
}

static bool exists(struct sv path)
{
	char *p = sv_dup(path);
	bool there = path_exists(p);

	free(p);
	return there;
}

/* A list that names files which do not exist is fine, as with kubectl. */
static int add_list(struct files *f, const char *list, struct err *err)
{
	struct sv rest = sv_c(list), one;

	while (rest.n) {
		(void)sv_cut(rest, ':', &one, &rest);
		if (one.n && exists(one))
			TRY(add_file(f, one, err));
	}
	return 0;
}

static int read_files(struct files *f, const char *path, struct err *err)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	AUTO(str) standard = { 0 };

	if (path)
		return add_file(f, sv_c(path), err);
	if (list && *list)
		return add_list(f, list, err);
	str_addf(&standard, "%s/.kube/config", home ? home : "");
	return path_exists(str_c(&standard)) ? add_file(f, str_sv(&standard), err) : 0;
}

/* ---- entries ---- */

struct entry { const struct node *node; const struct file *file; };

static bool find(const struct files *f, const char *list, const char *name, struct entry *out)
{
	const struct file *file;

	vec_each(file, f) {
		const struct node *all = node_get(doc_root(file->doc), list), *it;

		for (size_t i = 0; (it = node_item(all, i)); i++)
			if (str_eq(node_str_at(it, "name"), name)) {
				*out = (struct entry){ it, file };
				return true;
			}
	}
	return false;
}

static const char *current_context(const struct files *f)
{
	const struct file *file;

	vec_each(file, f) {
		const char *name = node_str_at(doc_root(file->doc), "current-context");

		if (name && *name)
			return name;
	}
	return NULL;
}

/* A file named in a kubeconfig is relative to the kubeconfig. */
static char *beside(const struct file *file, const char *path)
{
	struct sv dir, name;

	if (*path == '/' || !sv_cut_last(sv_c(file->path), '/', &dir, &name))
		return sv_dup(sv_c(path));
	return str_fmt(SV_FMT "/%s", SV_ARG(dir), path);
}

/* key-data holds the text in base64, key names a file. */
static int read_pem(const struct entry *e, const char *section, const char *key, struct str *out, struct err *err)
{
	const struct node *map = node_get(e->node, section);
	AUTO(str) data_key = { 0 };
	const char *data, *path = node_str_at(map, key);
	int r = 0;

	str_addf(&data_key, "%s-data", key);
	data = node_text(node_get(map, str_c(&data_key)));
	if (data) {
		r = base64_decode(out, sv_c(data), err);
	} else if (path && *path) {
		char *full = beside(e->file, path);

		r = file_read(full, MAX_PEM, out, err);
		free(full);
	}
	return err_wrap(err, r, "%s: %s \"%s\": %s", e->file->path, section, node_str_or(e->node, "name", ""), key);
}

static int read_cluster(struct kubeconfig *out, const struct entry *e, struct err *err)
{
	struct sv server = sv_c(node_str_or(e->node, "cluster.server", ""));

	if (!server.n)
		return err_set(err, ERR_INVALID, "%s: cluster \"%s\" has no server", e->file->path,
			       node_str_or(e->node, "name", ""));
	while (sv_ends(server, SV("/")))
		server.n--;
	out->server = sv_dup(server);
	out->insecure = node_bool_at(e->node, "cluster.insecure-skip-tls-verify", false);
	return read_pem(e, "cluster", "certificate-authority", &out->ca_pem, err);
}

static int read_token(struct kubeconfig *out, const struct entry *e, struct err *err)
{
	const char *token = node_str_at(e->node, "user.token"), *path = node_str_at(e->node, "user.tokenFile");
	AUTO(str) text = { 0 };

	if (token && *token)
		out->token = sv_dup(sv_c(token));
	if (out->token || !path || !*path)
		return 0;
	char *full = beside(e->file, path);
	int r = file_read(full, MAX_PEM, &text, err);

	free(full);
	if (r >= 0)
		out->token = sv_dup(sv_trim(str_sv(&text)));
	return r;
}

static int read_user(struct kubeconfig *out, const struct entry *e, struct err *err)
{
	const char *name = node_str_at(e->node, "user.username"), *password = node_str_or(e->node, "user.password", "");

	if (node_at(e->node, "user.exec") || node_at(e->node, "user.auth-provider"))
		return err_set(err, ERR_UNSUPPORTED,
			       "%s: user \"%s\": credentials from a helper program are not supported; use a token or a "
			       "certificate",
			       e->file->path, node_str_or(e->node, "name", ""));
	TRY(read_pem(e, "user", "client-certificate", &out->cert_pem, err));
	TRY(read_pem(e, "user", "client-key", &out->key_pem, err));
	if (name && *name)
		out->userpwd = str_fmt("%s:%s", name, password);
	return read_token(out, e, err);
}

static int missing(const struct files *f, const char *what, const char *name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "%s: there is no %s \"%s\"", f->n == 1 ? f->v[0].path : "kubeconfig files",
		       what, name);
}

static int resolve(struct kubeconfig *out, const struct files *f, const char *context, struct err *err)
{
	struct entry e, part;

	if (!context)
		context = current_context(f);
	if (!context)
		return err_set(err, ERR_INVALID, "%s: no current-context: name one with --context", f->v[0].path);
	if (!find(f, "contexts", context, &e))
		return missing(f, "context", context, err);
	const char *cluster = node_str_or(e.node, "context.cluster", ""),
		   *user = node_str_or(e.node, "context.user", "");
	const char *ns = node_str_or(e.node, "context.namespace", "");

	out->context = sv_dup(sv_c(context));
	if (*ns)
		out->ns = sv_dup(sv_c(ns));
	if (!find(f, "clusters", cluster, &part))
		return missing(f, "cluster", cluster, err);
	TRY(read_cluster(out, &part, err));
	if (!*user)
		return 0;
	return find(f, "users", user, &part) ? read_user(out, &part, err) : missing(f, "user", user, err);
}

/* ---- inside of a pod ---- */

static int read_account(struct kubeconfig *out, const char *host, struct err *err)
{
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	AUTO(str) token = { 0 }, ns = { 0 };

	TRY(file_read(ACCOUNT_DIR "token", MAX_PEM, &token, err));
	TRY(file_read(ACCOUNT_DIR "ca.crt", MAX_PEM, &out->ca_pem, err));
	if (path_exists(ACCOUNT_DIR "namespace")) {
		TRY(file_read(ACCOUNT_DIR "namespace", MAX_PEM, &ns, err));
		out->ns = sv_dup(sv_trim(str_sv(&ns)));
	}
	out->token = sv_dup(sv_trim(str_sv(&token)));
	out->server = str_fmt(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port ? port : "443");
	return 0;
}

int kubeconfig_load(struct kubeconfig *out, const char *path, const char *context, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	AUTO(files) f = { 0 };

	TRY(read_files(&f, path, err));
	if (f.n)
		return resolve(out, &f, context, err);
	if (host && path_exists(ACCOUNT_DIR "token"))
		return read_account(out, host, err);
	return err_set(err, ERR_NOT_FOUND, "no kubeconfig: there is no ~/.kube/config and KUBECONFIG names no file; "
		       "`cd serve` writes admin.kubeconfig into its data directory");
}

void kubeconfig_free(struct kubeconfig *c)
{
	free(c->server);
	free(c->ns);
	free(c->context);
	free(c->token);
	free(c->userpwd);
	str_free(&c->ca_pem);
	str_free(&c->cert_pem);
	str_free(&c->key_pem);
	*c = (struct kubeconfig){ 0 };
}
