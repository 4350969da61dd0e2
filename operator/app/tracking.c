/* operator/app/tracking.c - which application an object belongs to. */
#include "operator/app/tracking.h"

static bool pair(struct sv in, struct sv *a, struct sv *b)
{
	return sv_cut(in, '/', a, b) && !memchr(b->p, '/', b->n);
}

bool tracking_parse(const char *text, struct tracking *t)
{
	struct sv rest, type, object;

	if (!text || !sv_cut(sv_c(text), ':', &t->instance, &rest) || !sv_cut(rest, ':', &type, &object))
		return false;
	/* names of RBAC objects hold colons: all after the second one is the object */
	return t->instance.n && pair(type, &t->group, &t->kind) && pair(object, &t->ns, &t->name) && t->kind.n && t->name.n;
}

void tracking_write(struct str *out, const char *instance, const char *group, const char *kind, const char *ns, const char *name)
{
	str_addf(out, "%s:%s/%s:%s/%s", instance, group, kind, ns ? ns : "", name);
}

bool tracking_of(const struct object *o, struct sv *instance)
{
	struct tracking t;

	if (!tracking_parse(meta_annotation(o->root, TRACKING_ID), &t))
		return false;
	*instance = t.instance;
	return sv_eq_c(t.group, o->kind->group) && sv_eq_c(t.kind, o->kind->kind) && sv_eq_c(t.name, o->name) &&
	       (!o->kind->namespaced || sv_eq_c(t.ns, o->ns));
}

void instance_name(struct str *out, const char *control_ns, const char *ns, const char *name)
{
	if (str_eq(ns, control_ns))
		str_addc(out, name);
	else
		str_addf(out, "%s_%s", ns, name);
}
