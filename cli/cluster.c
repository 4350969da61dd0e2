#include "cli/cluster.h"

#include "base/fiber.h"
#include "base/fs.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <strings.h>

struct run {
	const char *command;
	const struct cluster_opts *o;
	int (*fn)(struct cluster *, void *, struct err *);
	void *arg;
};

/* Whoever has nothing else configured means the server that was started in this directory. */
static const char *kubeconfig_of(const struct cluster_opts *o)
{
	static const char here[] = DATA_DIR_DEFAULT "/admin.kubeconfig";
	const char *env = getenv("KUBECONFIG"), *home = getenv("HOME");
	char *usual = str_fmt("%s/.kube/config", home ? home : "");
	bool nothing = !o->kubeconfig && !o->context && !(env && *env) && !path_exists(usual) && path_exists(here);

	free(usual);
	return nothing ? here : o->kubeconfig;
}

static int run_connected(void *arg)
{
	const struct run *r = arg;
	struct err err = { 0 };
	struct cluster c = { .client = client_https(fiber_loop(), kubeconfig_of(r->o), r->o->context, &err) };

	if (!c.client) {
		(void)cli_fail(r->command, &err);       /* a missing configuration is not what "not found" means */
		return EXIT_FAILED;
	}
	c.ns = r->o->all ? NULL : r->o->ns ? r->o->ns : client_namespace(c.client);
	int code = r->fn(&c, r->arg, &err);
	client_free(&c.client);
	if (code < 0)
		return cli_fail(r->command, &err);
	err_free(&err);
	return code;
}

int cluster_run(const char *command, const struct cluster_opts *o, int (*fn)(struct cluster *, void *, struct err *), void *arg)
{
	struct run r = { command, o, fn, arg };

	return fiber_main(run_connected, &r);
}

/* ---- resources ---- */

static void add(struct resources *out, const struct kind *k, struct sv name)
{
	struct resource r = { k, name.p ? sv_dup(name) : NULL };

	vec_push(out, r);
}

static bool in_category(const struct kind *k, struct sv category)
{
	struct sv rest = sv_c(k->categories), one;

	for (bool more = rest.n > 0; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		if (sv_eq(one, category))
			return true;
	}
	return false;
}

/* Every kind of a category, as "all"; false: there is no such category. */
static bool add_category(struct client *c, struct sv name, struct resources *out)
{
	size_t before = out->n;

	for (size_t i = 0; i < kinds_n(c->kinds); i++)
		if (in_category(kinds_at(c->kinds, i), name))
			add(out, kinds_at(c->kinds, i), (struct sv){ 0 });
	return out->n > before;
}

static int add_types(struct client *c, struct sv types, struct resources *out, struct err *err)
{
	struct sv one;

	for (bool more = true; more;) {
		more = sv_cut(types, ',', &one, &types);
		if (add_category(c, one, out))
			continue;
		char *name = sv_dup(one);
		const struct kind *k = client_kind_named(c, name, err);
		free(name);
		if (!k)
			return -(int)err->code;
		add(out, k, (struct sv){ 0 });
	}
	return 0;
}

static int add_pair(struct client *c, const char *text, struct resources *out, struct err *err)
{
	struct sv type, name;

	if (!sv_cut(sv_c(text), '/', &type, &name))
		return err_set(err, ERR_BAD_REQUEST, "'%s': where one argument is TYPE/NAME, all are", text);
	char *t = sv_dup(type);
	const struct kind *k = client_kind_named(c, t, err);
	free(t);
	if (!k)
		return -(int)err->code;
	add(out, k, name);
	return 0;
}

int resources_parse(struct client *c, const struct opt_list *args, struct resources *out, struct err *err)
{
	if (!args->n)
		return err_set(err, ERR_BAD_REQUEST, "name a type of resource, such as pods, deployments or applications");
	if (strchr(args->v[0], '/')) {
		for (size_t i = 0; i < args->n; i++)
			TRY(add_pair(c, args->v[i], out, err));
		return 0;
	}
	TRY(add_types(c, sv_c(args->v[0]), out, err));
	if (args->n == 1)
		return 0;
	if (out->n > 1)
		return err_set(err, ERR_BAD_REQUEST, "names need one type, not '%s'", args->v[0]);
	const struct kind *k = out->v[0].kind;
	out->n = 0;
	for (size_t i = 1; i < args->n; i++)
		add(out, k, sv_c(args->v[i]));
	return 0;
}

int resources_one(struct client *c, const struct opt_list *args, struct resources *out, struct err *err)
{
	TRY(resources_parse(c, args, out, err));
	if (out->n != 1 || !out->v[0].name)
		return err_set(err, ERR_BAD_REQUEST, "name exactly one resource: TYPE NAME or TYPE/NAME");
	return 0;
}

void resources_free(struct resources *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	vec_free(r);
}

const char *resource_ns(const struct cluster *c, const struct kind *k) { return k->namespaced ? c->ns : NULL; }
