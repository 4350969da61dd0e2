/* cli/chart-source.c - where charts come from for a user: directories, packages, repositories and registries, with the
 * settings that Helm and docker keep. */
#include "cli/chart.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/registry-login.h"
#include "base/yaml.h"
#include "cli/user-dirs.h"

#define SETTINGS_MAX ((size_t)4 << 20)
#define PACKAGE_MAX ((size_t)32 << 20)

void chart_login_free(struct chart_login *l)
{
	str_free(&l->username);
	str_free(&l->password);
	str_free(&l->ca);
	str_free(&l->cert);
	str_free(&l->key);
}

void chart_found_free(struct chart_found *f)
{
	str_free(&f->path);
	chart_package_free(&f->package);
}

/* ---- settings ---- */

/* The path that a variable names, else NAME below what another one names, else below the user's settings. */
static void helm_path(struct str *out, const char *variable, const char *name)
{
	const char *whole = getenv(variable), *home = getenv("HELM_CONFIG_HOME");

	if (whole && *whole)
		str_addc(out, whole);
	else if (home && *home)
		str_addf(out, "%s/%s", home, name);
	else {
		user_config_path(out, "helm/");
		str_addc(out, name);
	}
}

/* A file of settings, as a document; absent: *out stays NULL. */
static int read_settings(const char *path, struct doc **out, struct err *err)
{
	AUTO(str) text = { 0 };

	if (!path_exists(path))
		return 0;
	TRY(file_read(path, SETTINGS_MAX, &text, err));
	return yaml_read(str_sv(&text), path, 0, out, err);
}

/* ---- logins ---- */

static int read_pem(const char *path, struct str *out, struct err *err)
{
	return path && *path ? file_read(path, SETTINGS_MAX, out, err) : 0;
}

static bool find_in(const char *path, const char *host, struct registry_login *out)
{
	AUTO_DOC d = NULL;

	return read_settings(path, &d, NULL) >= 0 && d && registry_login_find(node_get(doc_root(d), "auths"), host, out);
}

/* Helm's file of logins, then docker's. */
static void find_registry_login(const char *url, struct chart_login *l)
{
	const char *docker = getenv("DOCKER_CONFIG");
	AUTO(registry_login) found = { 0 };
	AUTO(str) helm = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) host_text = { 0 };
	struct sv host, rest;

	(void)sv_cut(sv_drop(sv_c(url), 6), '/', &host, &rest);
	str_add(&host_text, host);
	helm_path(&helm, "HELM_REGISTRY_CONFIG", "registry/config.json");
	if (docker && *docker)
		str_addf(&path, "%s/config.json", docker);
	else
		user_home_path(&path, ".docker/config.json");
	if (!find_in(str_c(&helm), str_c(&host_text), &found) && !find_in(str_c(&path), str_c(&host_text), &found))
		return;
	str_move(&l->username, &found.user);
	str_move(&l->password, &found.password);
}

/* What repositories.yaml says of a repository by its name or address. */
static int use_entry(struct chart_login *l, const struct node *entry, struct err *err)
{
	str_addc(&l->username, node_str_or(entry, "username", ""));
	str_addc(&l->password, node_str_or(entry, "password", ""));
	TRY(read_pem(node_str_at(entry, "caFile"), &l->ca, err));
	TRY(read_pem(node_str_at(entry, "certFile"), &l->cert, err));
	TRY(read_pem(node_str_at(entry, "keyFile"), &l->key, err));
	l->access.insecure |= node_bool_at(entry, "insecure_skip_tls_verify", false);
	l->access.pass_credentials |= node_bool_at(entry, "pass_credentials_all", false);
	return 0;
}

static struct sv without_slash(const char *url)
{
	struct sv s = sv_c(url);

	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static int find_repository(struct chart_login *l, const char *repository, struct str *url, struct err *err)
{
	const char *name = *repository == '@' ? repository + 1 : !strncmp(repository, "alias:", 6) ? repository + 6 : NULL;
	AUTO(str) path = { 0 };
	AUTO_DOC d = NULL;
	const struct node *it;

	helm_path(&path, "HELM_REPOSITORY_CONFIG", "repositories.yaml");
	TRY(read_settings(str_c(&path), &d, err));
	node_each(it, node_get(d ? doc_root(d) : NULL, "repositories")) {
		const char *its_url = node_str_or(it, "url", "");

		if (name ? !str_eq(name, node_str_at(it, "name")) : !sv_eq(without_slash(its_url), without_slash(repository)))
			continue;
		str_addc(url, its_url);
		return use_entry(l, it, err);
	}
	if (name)
		return err_set(err, ERR_NOT_FOUND, "no repository is named '%s' in %s (`helm repo add %s URL` adds one)", name, str_c(&path), name);
	str_addc(url, repository);
	return 0;
}

static int use_flags(struct chart_login *l, const struct chart_flags *f, struct err *err)
{
	struct { const char *file; struct str *text; } pems[] = { { f->ca_file, &l->ca }, { f->cert_file, &l->cert }, { f->key_file, &l->key } };

	if (f->username) {
		str_set(&l->username, f->username);
		str_set(&l->password, f->password ? f->password : getenv("CD_REGISTRY_PASSWORD") ? getenv("CD_REGISTRY_PASSWORD") : "");
	}
	for (size_t i = 0; i < sizeof pems / sizeof *pems; i++)
		if (pems[i].file) {
			str_cut(pems[i].text, 0);
			TRY(read_pem(pems[i].file, pems[i].text, err));
		}
	l->access.insecure |= f->insecure;
	l->access.plain_http |= f->plain_http;
	l->access.pass_credentials |= f->pass_credentials;
	return 0;
}

int chart_login_find(struct chart_login *l, const struct chart_flags *f, const char *repository, struct str *url, struct err *err)
{
	TRY(find_repository(l, repository, url, err));
	if (chart_is_oci(str_c(url)) && !l->username.n)
		find_registry_login(str_c(url), l);
	if (f)
		TRY(use_flags(l, f, err));
	l->access.username = str_c(&l->username);
	l->access.password = str_c(&l->password);
	l->access.ca_pem = str_sv(&l->ca);
	l->access.cert_pem = str_sv(&l->cert);
	l->access.key_pem = str_sv(&l->key);
	return 0;
}

/* ---- charts ---- */

struct charts *user_charts(struct err *err)
{
	const char *helm = getenv("HELM_CACHE_HOME");
	AUTO(str) dir = { 0 };

	if (helm && *helm)
		str_addf(&dir, "%s/timonier", helm);
	else if (user_cache_dir(&dir, "charts", err) < 0)
		return NULL;
	return charts_new(fiber_loop(), str_c(&dir));
}

static int fetch(const struct chart_want *w, struct chart_found *out, struct err *err)
{
	struct charts *c = user_charts(err);

	if (!c)
		return -ERR_IO;
	int r = charts_fetch(c, w, &out->package, err);
	charts_free(&c);
	TRY(r);
	out->fetched = true;
	str_add(&out->path, str_sv(&out->package.path));
	return 0;
}

/* "stable/redis" when a repository has that name. */
static bool split_name(const char *name, struct str *repository, const char **chart)
{
	const char *slash = strchr(name, '/');

	if (!slash || slash == name || strchr(slash + 1, '/') || *name == '.')
		return false;
	str_addf(repository, "@%.*s", (int)(slash - name), name);
	*chart = slash + 1;
	return true;
}

int chart_find(const char *name, const struct chart_flags *f, struct chart_found *out, struct err *err)
{
	AUTO(chart_login) login = { 0 };
	AUTO(str) repository = { 0 };
	AUTO(str) url = { 0 };
	struct chart_want w = { .chart = name, .version = f->version, .devel = f->devel, .access = &login.access };
	bool whole = strstr(name, "://") != NULL;

	if (!f->repo && !whole && path_exists(name)) {
		str_addc(&out->path, name);
		return 0;
	}
	if (f->repo && !strstr(f->repo, "://"))
		return err_set(err, ERR_BAD_REQUEST, "--repo '%s' is no address: https://... or oci://...", f->repo);
	if (!f->repo && !whole && !split_name(name, &repository, &w.chart))
		return err_set(err, ERR_NOT_FOUND, "there is no chart '%s': neither a directory or package of this name, nor --repo URL", name);
	TRY(chart_login_find(&login, f, f->repo ? f->repo : whole ? name : str_c(&repository), &url, err));
	if (!whole || f->repo)
		w.repo = str_c(&url);
	return fetch(&w, out, err);
}

struct find { const char *name; const struct chart_flags *flags; struct chart_found *out; struct err *err; };

static int find(void *arg)
{
	struct find *f = arg;

	return chart_find(f->name, f->flags, f->out, f->err);
}

int chart_find_now(const char *name, const struct chart_flags *f, struct chart_found *out, struct err *err)
{
	return fiber_main(find, &(struct find){ name, f, out, err });
}

struct vfs *chart_view(const char *path, const char **in_view, struct err *err)
{
	AUTO(str) text = { 0 };
	struct vfs *v;

	*in_view = "";
	if (!sv_ends(sv_c(path), SV(".tgz")))
		return vfs_dir(path, err);
	if (file_read(path, PACKAGE_MAX, &text, err) < 0)
		return NULL;
	const char *slash = strrchr(path, '/');
	*in_view = slash ? slash + 1 : path;
	v = vfs_memory();
	vfs_memory_add(v, *in_view, str_sv(&text));
	return v;
}

/* ---- for renders ---- */

struct give { const struct render_chart *want; struct str *package; struct err *err; };

static int give(void *arg)
{
	struct give *g = arg;
	AUTO(chart_login) login = { 0 };
	AUTO(chart_found) found = { 0 };
	AUTO(str) url = { 0 };

	TRY(chart_login_find(&login, NULL, g->want->repo, &url, g->err));
	const struct chart_want w = { .repo = str_c(&url), .chart = g->want->name, .version = g->want->version, .max_age_ms = CHARTS_CACHED,
				      .access = &login.access };
	TRY(fetch(&w, &found, g->err));
	return file_read(str_c(&found.path), PACKAGE_MAX, g->package, g->err);
}

int chart_give(void *arg, const struct render_chart *want, struct str *package, struct err *err)
{
	(void)arg;
	return fiber_main(give, &(struct give){ want, package, err });
}

void chart_print_json(const struct node *n)
{
	AUTO(str) text = { 0 };

	json_write(&text, n, JSON_INDENT);
	printf("%s\n", str_c(&text));
}
