#include "runtime/agent/env.h"

#include <ctype.h>
#include "base/encode.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void env_free(struct env *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].name);
		free(e->v[i].value);
	}
	vec_free(e);
}

static struct env_var *find(const struct env *e, struct sv name)
{
	for (size_t i = 0; i < e->n; i++)
		if (sv_eq_c(name, e->v[i].name))
			return &e->v[i];
	return NULL;
}

const char *env_get(const struct env *e, struct sv name)
{
	const struct env_var *v = find(e, name);

	return v ? v->value : NULL;
}

void env_put(struct env *e, struct sv name, struct sv value)
{
	struct env_var *v = find(e, name);

	if (!v) {
		vec_push(e, ((struct env_var){ sv_dup(name), sv_dup(value) }));
		return;
	}
	free(v->value);
	v->value = sv_dup(value);
}

void env_expand(const struct env *e, const char *text, struct str *out)
{
	for (const char *c = text; *c; c++) {
		const char *end = c[0] == '$' && c[1] == '(' ? strchr(c, ')') : NULL;
		const char *value = end ? env_get(e, (struct sv){ c + 2, (size_t)(end - c - 2) }) : NULL;

		if (c[0] == '$' && c[1] == '$') {
			str_add1(out, *c++);
		} else if (value) {
			str_addc(out, value);
			c = end;
		} else {
			str_add1(out, *c);
		}
	}
}

/* ---- where values come from ---- */

struct composer { const struct pod_facts *facts; const struct volume_lookup *lookup; const char *container; struct env *env; };

static const struct { const char *ref, *from, *kind, *word; } objects[] = {
	{ "configMapKeyRef", "configMapRef", "ConfigMap", "configmap" }, { "secretKeyRef", "secretRef", "Secret",
	"secret" },
};

/* Secrets hold base64, ConfigMaps text. false: no such key. */
static int value_at(const struct node *object, const char *kind, struct sv key, struct str *out, bool *found,
		    struct err *err)
{
	const struct node *v = node_getn(node_get(object, "data"), key);

	*found = v != NULL;
	if (!v)
		return 0;
	if (str_eq(kind, "Secret"))
		return base64_decode(out, node_sv(v), err);
	str_add(out, node_sv(v));
	return 0;
}

static int from_key(struct composer *c, size_t row, const struct node *ref, struct str *out, bool *set, struct err *err)
{
	const char *name = node_str_or(ref, "name", ""), *key = node_str_or(ref, "key", "");
	const struct node *object = c->lookup->get(c->lookup->arg, objects[row].kind, name);
	bool optional = node_bool_at(ref, "optional", false);

	*set = false;
	if (object)
		TRY(value_at(object, objects[row].kind, sv_c(key), out, set, err));
	if (*set || optional)
		return 0;
	if (!object)
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", objects[row].word, name);
	return err_set(err, ERR_NOT_FOUND, "couldn't find key %s in %s %s/%s", key, objects[row].kind,
		       node_str_or(c->facts->pod, "metadata.namespace", ""), name);
}

static int from_source(struct composer *c, const struct node *source, struct str *out, bool *set, struct err *err)
{
	const struct node *ref;

	*set = true;
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
		if ((ref = node_get(source, objects[i].ref)))
			return from_key(c, i, ref, out, set, err);
	if ((ref = node_get(source, "fieldRef")))
		return downward_field(c->facts, node_str_or(ref, "fieldPath", ""), out, err);
	if ((ref = node_get(source, "resourceFieldRef")))
		return downward_resource(c->facts, ref, c->container, out, err);
	return err_set(err, ERR_INVALID,
		       "valueFrom names no source: want configMapKeyRef, secretKeyRef, fieldRef or resourceFieldRef");
}

static int add_variable(struct composer *c, const struct node *var, struct err *err)
{
	const struct node *source = node_get(var, "valueFrom");
	struct sv name = node_sv(node_get(var, "name"));
	AUTO(str) value = { 0 };
	bool set = true;

	if (source) {
		int r = from_source(c, source, &value, &set, err);

		if (r < 0)
			return r;
	} else {
		env_expand(c->env, node_str_or(var, "value", ""), &value);
	}
	if (set)
		env_put(c->env, name, str_sv(&value));
	return 0;
}

/* Any name that a program can read back; the digit rule is Kubernetes' (C_IDENTIFIER, relaxed by . and -). */
static bool name_is_valid(struct sv name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && !strchr("_.-", name.p[i]))
			return false;
	return name.n && !isdigit((unsigned char)*name.p);
}

static int add_all(struct composer *c, size_t row, const struct node *ref, const char *prefix, struct err *err)
{
	const char *name = node_str_or(ref, "name", "");
	const struct node *object = c->lookup->get(c->lookup->arg, objects[row].kind, name),
			  *data = node_get(object, "data");
	struct member *m;

	if (!object && !node_bool_at(ref, "optional", false))
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", objects[row].word, name);
	node_members(m, data) {
		AUTO(str) full = { 0 };
		AUTO(str) value = { 0 };
		bool found;

		str_addf(&full, "%s%s", prefix, m->key);
		if (!name_is_valid(str_sv(&full)))
			continue;
		TRY(value_at(object, objects[row].kind, (struct sv){ m->key, m->key_n }, &value, &found, err));
		env_put(c->env, str_sv(&full), str_sv(&value));
	}
	return 0;
}

int env_of_container(const struct pod_facts *f, const struct volume_lookup *l, const struct node *container,
		     struct env *out, struct err *err)
{
	struct composer c = { f, l, node_str_or(container, "name", ""), out };
	const struct node *from = node_get(container, "envFrom"), *env = node_get(container, "env"), *it, *ref;

	node_each(it, from)
		for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
			if ((ref = node_get(it, objects[i].from)))
				TRY(add_all(&c, i, ref, node_str_or(it, "prefix", ""), err));
	node_each(it, env)
		TRY(add_variable(&c, it, err));
	return 0;
}

/* ---- words ---- */

static void add_expanded(const struct env *e, const struct node *list, struct strings *out)
{
	const struct node *it;

	node_each(it, list) {
		AUTO(str) word = { 0 };

		env_expand(e, node_text(it) ? node_text(it) : "", &word);
		strings_add(out, str_c(&word));
	}
}

static void add_plain(const struct strings *list, struct strings *out)
{
	for (size_t i = 0; i < list->n; i++)
		strings_add(out, list->v[i]);
}

int env_command(const struct env *e, const struct node *container, const struct image *image, struct strings *argv,
		struct err *err)
{
	const struct node *command = node_get(container, "command"), *args = node_get(container, "args");

	if (node_n(command))
		add_expanded(e, command, argv);
	else
		add_plain(&image->entrypoint, argv);
	if (node_n(args))
		add_expanded(e, args, argv);
	else if (!node_n(command))
		add_plain(&image->cmd, argv);
	if (!argv->n)
		return err_set(err, ERR_INVALID, "no command: neither the container nor the image '%s' names one",
			       str_c(&image->name));
	return 0;
}

static void add_word(struct strings *out, struct sv name, const char *value)
{
	AUTO(str) word = { 0 };

	str_addf(&word, SV_FMT "=%s", SV_ARG(name), value);
	strings_add(out, str_c(&word));
}

void env_words(const struct env *e, const struct image *image, const char *hostname, struct strings *out)
{
	bool path = env_get(e, SV("PATH")) != NULL, host = env_get(e, SV("HOSTNAME")) != NULL;

	for (size_t i = 0; i < image->env.n; i++) {
		struct sv name, value;

		(void)sv_cut(sv_c(image->env.v[i]), '=', &name, &value);
		path |= sv_eq_c(name, "PATH");
		host |= sv_eq_c(name, "HOSTNAME");
		if (!env_get(e, name))
			strings_add(out, image->env.v[i]);
	}
	for (size_t i = 0; i < e->n; i++)
		add_word(out, sv_c(e->v[i].name), e->v[i].value);
	if (!path)
		add_word(out, SV("PATH"), DEFAULT_PATH);
	if (!host)
		add_word(out, SV("HOSTNAME"), hostname);
}
