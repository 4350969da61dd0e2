#include "runtime/volume/volume.h"

#include "base/encode.h"
#include "kube/quantity.h"

struct planner {
	const struct pod_facts *facts;
	const struct volume_lookup *lookup;
	struct volume_plan *plan;
};

static void file_free(struct volume_file *f)
{
	free(f->path);
	str_free(&f->data);
}

static void plan_free(struct volume_plan *p)
{
	for (size_t i = 0; i < p->files.n; i++)
		file_free(&p->files.v[i]);
	vec_free(&p->files);
	free(p->name);
	free(p->host_path);
	free(p->host_type);
	free(p->missing);
}

void volume_plans_free(struct volume_plans *p)
{
	for (size_t i = 0; i < p->n; i++)
		plan_free(&p->v[i]);
	vec_free(p);
}

/* Relative, without "..", and not the name of our own links. */
static bool path_is_safe(struct sv path)
{
	struct sv part, rest = path;

	if (!path.n || *path.p == '/' || sv_starts(path, SV("..")) || memchr(path.p, 0, path.n))
		return false;
	for (bool more = true; more;) {
		more = sv_cut(rest, '/', &part, &rest);
		if (!part.n || sv_eq_c(part, "..") || sv_eq_c(part, ".") || part.n > 255)
			return false;
	}
	return true;
}

static int add_file(struct planner *p, struct sv path, struct str *take_data, mode_t mode, struct err *err)
{
	struct volume_file f = { .mode = mode & 07777 };

	if (!path_is_safe(path)) {
		str_free(take_data);
		return err_set(err, ERR_INVALID, "'" SV_FMT "' is no path inside a volume: relative, without '..'",
			       SV_ARG(path));
	}
	f.path = sv_dup(path);
	str_move(&f.data, take_data);
	for (size_t i = 0; i < p->plan->files.n; i++)
		if (str_eq(p->plan->files.v[i].path, f.path)) {         /* a later source wins, as in Kubernetes */
			file_free(&p->plan->files.v[i]);
			p->plan->files.v[i] = f;
			return 0;
		}
	vec_push(&p->plan->files, f);
	return 0;
}

/* The bytes behind a key; false: there is no such key. */
static bool value_of(const struct node *object, struct sv key, struct str *out, struct err *err, int *r)
{
	const struct node *text = node_getn(node_get(object, "data"), key),
			  *bytes = node_getn(node_get(object, "binaryData"), key);
	bool secret = str_eq(node_str_at(object, "kind"), "Secret");

	*r = 0;
	if (text && !secret) {
		str_add(out, node_sv(text));
		return true;
	}
	if (secret)
		bytes = text;
	if (!bytes)
		return false;
	*r = base64_decode(out, node_sv(bytes), err);
	return true;
}

static int missing(struct planner *p, struct err *err, const char *fmt, ...) PRINTF(3, 4);
static int missing(struct planner *p, struct err *err, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	if (!p->plan->missing)
		p->plan->missing = sv_dup(str_sv(&text));
	return err_set(err, ERR_NOT_FOUND, "%s", str_c(&text));
}

static int add_key(struct planner *p, const struct node *object, struct sv key, struct sv path, mode_t mode,
		   bool optional, struct err *err)
{
	struct str data = { 0 };
	int r;

	if (!value_of(object, key, &data, err, &r))
		return optional ? 0
				: missing(p, err, "%s \"%s\" has no key \"" SV_FMT "\"",
					  node_str_or(object, "kind", "object"),
					  node_str_or(object, "metadata.name", ""), SV_ARG(key));
	if (r < 0) {
		str_free(&data);
		return r;
	}
	return add_file(p, path, &data, mode, err);
}

static mode_t mode_of(const struct node *item, mode_t def) { return (mode_t)node_int_at(item, "mode", def); }

/* Every key of the object is a file, or only those that items names. */
static int add_object(struct planner *p, const char *kind, const char *name, const struct node *source, mode_t mode,
		      struct err *err)
{
	static const char *const maps[] = { "data", "binaryData" };
	bool optional = node_bool_at(source, "optional", false);
	const struct node *object = p->lookup->get(p->lookup->arg, kind, name), *items = node_get(source, "items"), *it;
	struct member *m;

	if (!object)
		return optional ? 0
				: missing(p, err, "%s \"%s\" not found",
					  str_eq(kind, "Secret") ? "secret" : "configmap", name);
	node_each(it, items) TRY(add_key(p, object, sv_c(node_str_at(it, "key")), sv_c(node_str_at(it, "path")),
					 mode_of(it, mode), optional, err));
	if (node_n(items))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		const struct node *map = node_get(object, maps[i]);

		node_members(m, map) {
			struct sv key = { m->key, m->key_n };

			TRY(add_key(p, object, key, key, mode, optional, err));
		}
	}
	return 0;
}

static int add_downward(struct planner *p, const struct node *source, mode_t mode, struct err *err)
{
	const struct node *items = node_get(source, "items"), *it;

	node_each(it, items) {
		const struct node *resource = node_get(it, "resourceFieldRef");
		struct str data = { 0 };
		int r;

		r = resource ? downward_resource(p->facts, resource, NULL, &data, err) :
			       downward_field(p->facts, node_str_or(it, "fieldRef.fieldPath", ""), &data, err);
		if (r < 0) {
			str_free(&data);
			return r;
		}
		TRY(add_file(p, sv_c(node_str_at(it, "path")), &data, mode_of(it, mode), err));
	}
	return 0;
}

static int add_token(struct planner *p, const struct node *source, mode_t mode, struct err *err)
{
	const struct str *token = p->lookup->token ?
		p->lookup->token(p->lookup->arg, node_str_or(source, "audience", ""), node_int_at(source, "expirationSeconds", 3600)) :
		NULL;
	struct str data = { 0 };

	if (!token)
		return missing(p, err, "no token of the service account \"%s\"",
			       node_str_or(p->facts->pod, "spec.serviceAccountName", "default"));
	str_add(&data, str_sv(token));
	return add_file(p, sv_c(node_str_at(source, "path")), &data, mode, err);
}

/* ---- one function a kind of volume ---- */

static int plan_config_map(struct planner *p, const struct node *v, struct err *err)
{
	return add_object(p, "ConfigMap", node_str_or(v, "name", ""), v, (mode_t)node_int_at(v, "defaultMode", 0644),
			  err);
}

static int plan_secret(struct planner *p, const struct node *v, struct err *err)
{
	p->plan->memory = true;
	return add_object(p, "Secret", node_str_or(v, "secretName", ""), v, (mode_t)node_int_at(v, "defaultMode", 0644),
			  err);
}

static int plan_downward(struct planner *p, const struct node *v, struct err *err)
{
	return add_downward(p, v, (mode_t)node_int_at(v, "defaultMode", 0644), err);
}

static int plan_projected(struct planner *p, const struct node *v, struct err *err)
{
	const struct node *sources = node_get(v, "sources"), *it;
	mode_t mode = (mode_t)node_int_at(v, "defaultMode", 0644);

	p->plan->memory = true;
	node_each(it, sources) {
		const struct node *config = node_get(it, "configMap"), *secret = node_get(it, "secret"),
				  *down = node_get(it, "downwardAPI"), *token = node_get(it, "serviceAccountToken");

		if (config)
			TRY(add_object(p, "ConfigMap", node_str_or(config, "name", ""), config, mode, err));
		else if (secret)
			TRY(add_object(p, "Secret", node_str_or(secret, "name", ""), secret, mode, err));
		else if (down)
			TRY(add_downward(p, down, mode, err));
		else if (token)
			TRY(add_token(p, token, mode, err));
		else
			return err_set(err, ERR_INVALID,
				       "a projected volume may hold configMap, secret, downwardAPI and serviceAccountToken, not %s",
				       it->n ? it->members[0].key : "nothing");
	}
	return 0;
}

static int plan_empty(struct planner *p, const struct node *v, struct err *err)
{
	const char *medium = node_str_or(v, "medium", "");
	const struct node *size = node_get(v, "sizeLimit");

	p->plan->type = VOLUME_EMPTY;
	if (*medium && !str_eq(medium, "Memory"))
		return err_set(err, ERR_INVALID, "emptyDir medium '%s' is not offered: \"\" or \"Memory\"", medium);
	p->plan->memory = *medium;
	if (size && !quantity_value(node_sv(size), &p->plan->size_bytes))
		return err_set(err, ERR_INVALID, "sizeLimit '" SV_FMT "' is no quantity", SV_ARG(node_sv(size)));
	return 0;
}

static int plan_host(struct planner *p, const struct node *v, struct err *err)
{
	const char *path = node_str_or(v, "path", "");
	struct sv part, rest = sv_c(path);

	p->plan->type = VOLUME_HOST;
	if (*path != '/')
		return err_set(err, ERR_INVALID, "hostPath '%s' must be an absolute path", path);
	for (bool more = true; more;) {
		more = sv_cut(rest, '/', &part, &rest);
		if (sv_eq_c(part, ".."))
			return err_set(err, ERR_INVALID, "hostPath '%s' must not contain '..'", path);
	}
	p->plan->host_path = sv_dup(sv_c(path));
	p->plan->host_type = sv_dup(sv_c(node_str_or(v, "type", "")));
	return 0;
}

static const struct { const char *field; int (*plan)(struct planner *, const struct node *, struct err *); } kinds[] = {
	{ "configMap", plan_config_map }, { "secret", plan_secret }, { "emptyDir", plan_empty }, { "hostPath",
	plan_host },
	{ "projected", plan_projected }, { "downwardAPI", plan_downward },
};

static int plan_one(struct planner *p, const struct node *volume, struct err *err)
{
	const struct node *source;
	struct member *m;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if ((source = node_get(volume, kinds[i].field)))
			return kinds[i].plan(p, source, err);
	node_members(m, volume) if (!str_eq(m->key, "name")) return err_set(
		err, ERR_INVALID,
		"volumes of type %s are not offered; use configMap, secret, emptyDir, hostPath, "
		"projected or downwardAPI",
		m->key);
	p->plan->type = VOLUME_EMPTY;   /* the API's default */
	return 0;
}

int volumes_plan(const struct pod_facts *f, const struct volume_lookup *l, struct volume_plans *out, struct err *err)
{
	const struct node *volumes = node_at(f->pod, "spec.volumes"), *it;

	node_each(it, volumes) {
		const char *name = node_str_or(it, "name", "");
		struct planner p = { f, l, NULL };
		int r;

		if (!path_is_safe(sv_c(name)) || strchr(name, '/'))
			return err_set(err, ERR_INVALID, "'%s' is no name of a volume", name);
		vec_push(out, ((struct volume_plan){ .name = sv_dup(sv_c(name)) }));
		p.plan = &out->v[out->n - 1];
		if ((r = plan_one(&p, it, err)) < 0)
			return err_wrap(err, r, "volume \"%s\"", name);
	}
	return 0;
}

static bool is_named(const struct node *source, const char *field, const char *name)
{
	return source && str_eq(node_str_at(source, field), name);
}

bool volumes_refer(const struct node *pod, const char *kind, const char *name)
{
	const struct node *volumes = node_at(pod, "spec.volumes"), *v, *source;
	bool secret = str_eq(kind, "Secret");
	const char *field = secret ? "secret" : "configMap";

	node_each(v, volumes) {
		const struct node *sources = node_at(v, "projected.sources");

		if (is_named(node_get(v, field), secret ? "secretName" : "name", name))
			return true;
		for (size_t i = 0; i < node_n(sources); i++) {
			source = node_get(node_item(sources, i), field);
			if (is_named(source, "name", name))
				return true;
		}
	}
	return false;
}
