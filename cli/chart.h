/* cli/chart.h - what the commands below `cd chart` share: options of repositories, and how a chart is found. */
#pragma once

#include "base/doc.h"
#include "base/vfs.h"
#include "cli/verbs.h"
#include "operator/chart/charts.h"
#include "operator/chart/depend.h"
#include "render/chart/load.h"
#include "render/render.h"

/* How a repository is reached, by options as Helm has them. Texts of argv. */
struct chart_flags {
	const char *repo, *version, *username, *password, *ca_file, *cert_file, *key_file;
	bool devel, insecure, plain_http, pass_credentials;
};

#define CHART_LOGIN_OPTS(f) \
	{ "username", 0, OPT_STR, &(f)->username, "NAME", "of the repository or registry" }, \
	{ "password", 0, OPT_STR, &(f)->password, "TEXT", "its password; also from CD_REGISTRY_PASSWORD" }, \
	{ "ca-file", 0, OPT_STR, &(f)->ca_file, "FILE", "whom to trust for its certificate" }, \
	{ "cert-file", 0, OPT_STR, &(f)->cert_file, "FILE", "certificate of a client" }, \
	{ "key-file", 0, OPT_STR, &(f)->key_file, "FILE", "key of a client" }, \
	{ "insecure-skip-tls-verify", 0, OPT_FLAG, &(f)->insecure, NULL, "do not check its certificate" }, \
	{ "plain-http", 0, OPT_FLAG, &(f)->plain_http, NULL, "a registry speaks http (on loopback this is found out)" }

#define CHART_REMOTE_OPTS(f) \
	{ "repo", 0, OPT_STR, &(f)->repo, "URL", "the chart repository, as https://... or oci://..." }, \
	{ "version", 0, OPT_STR, &(f)->version, "RANGE", "a version, or a range such as ^1.2; the newest by default" }, \
	{ "devel", 0, OPT_FLAG, &(f)->devel, NULL, "pre-releases, too" }, \
	{ "pass-credentials", 0, OPT_FLAG, &(f)->pass_credentials, NULL, "also to other hosts that an index names" }, \
	CHART_LOGIN_OPTS(f)

/* Who to be at a repository: the texts behind a struct chart_access. */
struct chart_login { struct str username, password, ca, cert, key; struct chart_access access; };
void chart_login_free(struct chart_login *l);

/* By options first, then Helm's repositories.yaml (for name or url), then the registries' config.json. flags may be NULL.
 * repository: "@name", "alias:name" or an address; *url: the address, in url's storage. */
MUST_CHECK int chart_login_find(struct chart_login *l, const struct chart_flags *f, const char *repository, struct str *url,
				struct err *err);

/* The user's cache of packages, on the loop of the running fiber. NULL on error. */
struct charts *user_charts(struct err *err);

/* A chart on this machine: a directory, or a package, which may have been fetched for it. */
struct chart_found { struct str path; bool fetched; struct chart_package package; };
void chart_found_free(struct chart_found *f);
/* name: a directory, a .tgz, oci://..., https://.../x.tgz, NAME with flags->repo, REPOSITORY/NAME of `helm repo add`. Parks. */
MUST_CHECK int chart_find(const char *name, const struct chart_flags *f, struct chart_found *out, struct err *err);
/* The same for commands that run in no fiber. */
MUST_CHECK int chart_find_now(const char *name, const struct chart_flags *f, struct chart_found *out, struct err *err);

/* A view of the file or directory: *in_view is its path in it, and borrowed from path. */
struct vfs *chart_view(const char *path, const char **in_view, struct err *err);
/* One chart that a command is about, opened. */
struct chart_opened { struct chart_found found; struct vfs *view; struct chart *chart; const char *in_view; };
void chart_opened_free(struct chart_opened *o);
MUST_CHECK int chart_open(const char *name, const struct chart_flags *f, struct chart_opened *o, struct err *err);

/* render_opts.chart: charts that a chart names, with the logins of this user. arg: unused. */
int chart_give(void *arg, const struct render_chart *want, struct str *package, struct err *err);

/* The dependencies of the chart in a directory, with the logins of this user. Runs a loop of its own. */
MUST_CHECK int chart_depend(const char *dir, const struct chart_flags *f, enum depend_how how, struct err *err);

void chart_now(struct str *out);                        /* the time, as RFC 3339 */
void chart_print_json(const struct node *n);

int chart_convert(int argc, char **argv);
int chart_create(int argc, char **argv);
int chart_dependency(int argc, char **argv);
int chart_lint(int argc, char **argv);
int chart_make_package(int argc, char **argv);
int chart_pull(int argc, char **argv);
int chart_push(int argc, char **argv);
int chart_repo(int argc, char **argv);
int chart_show(int argc, char **argv);
