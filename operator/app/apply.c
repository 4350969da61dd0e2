/* operator/app/apply.c - one object of a sync: applied, replaced or removed. */
#include <ctype.h>

#include "operator/app/app-internal.h"
#include "operator/app/project.h"

#define MANAGER "argocd-controller"

void applied_free(struct applied *a)
{
	str_free(&a->message);
}

/* "deployment.apps/web", as kubectl names objects. */
static void add_name(struct str *out, const struct ref *r, const char *name)
{
	for (const char *c = r->kind; *c; c++)
		str_add1(out, (char)tolower((unsigned char)*c));
	str_addf(out, "%s%s/%s", *r->group ? "." : "", r->group, name);
}

static bool option(const struct app_spec *spec, const struct node *root, const char *name)
{
	return sync_option(root, name) || app_option(spec, name);
}

static const char *propagation(const struct app_spec *spec)
{
	return app_option(spec, "PrunePropagationPolicy=background") ? "Background" :
	       app_option(spec, "PrunePropagationPolicy=orphan") ? "Orphan" : "Foreground";
}

int apply_delete(struct apps *apps, const struct object *o, const char *policy, struct err *err)
{
	const struct delete_opts opts = { .propagation = policy, .grace_seconds = -1, .uid = o->uid };
	int r = client_delete(apps->client, o->kind, o->ns, o->name, &opts, err);

	return r == -ERR_NOT_FOUND ? 0 : r;
}

static void prune(struct apps *apps, const struct app_spec *spec, const struct row *row, const struct apply_opts *o,
		  struct applied *out)
{
	AUTO(err) err = { 0 };
	bool kept = sync_option(row->live->root, "Prune=false") ||
		    (app_option(spec, "Prune=false") && !sync_option(row->live->root, "Prune=true"));

	out->status = "PruneSkipped";
	if (kept || !o->prune) {
		str_addc(&out->message, kept ? "ignored (no prune)" : "ignored (requires pruning)");
		return;
	}
	out->status = "Pruned";
	str_addc(&out->message, o->dry_run ? "pruned (dry run)" : "pruned");
	if (o->dry_run || apply_delete(apps, row->live, propagation(spec), &err) >= 0)
		return;
	out->failed = true;
	out->status = "SyncFailed";
	str_set(&out->message, err_msg(&err));
}

struct change { struct object *now; const char *verb; };

static int replace(struct apps *apps, const struct row *row, const struct node *obj, const struct write_opts *wo,
		   struct change *c, struct err *err)
{
	if (!row->live) {
		c->verb = "created";
		return client_create(apps->client, row->kind, obj, wo, &c->now, err);
	}
	AUTO_DOC d = doc_of(obj);
	node_put(d, doc_root(d), "metadata.resourceVersion", node_str(d, node_str_or(row->live->root, "metadata.resourceVersion", "")));
	c->verb = "replaced";
	return client_update(apps->client, row->kind, doc_root(d), wo, &c->now, err);
}

static int apply(struct apps *apps, const struct app_spec *spec, const struct row *row, const struct node *obj,
		 const struct write_opts *wo, struct change *c, struct err *err)
{
	bool changed = true;

	if (option(spec, obj, "Replace=true"))
		return replace(apps, row, obj, wo, c, err);
	if (!wo->dry_run && option(spec, obj, "ServerSideApply=true") && !sync_option(obj, "ServerSideApply=false")) {
		c->verb = "serverside-applied";
		return client_patch(apps->client, row->kind, row->ref.ns, node_str_or(obj, "metadata.name", ""), PATCH_APPLY, obj, wo,
				    &c->now, err);
	}
	TRY(client_apply(apps->client, row->kind, obj, wo, &c->now, &changed, err));
	c->verb = !row->live ? "created" : changed ? "configured" : "unchanged";
	return 0;
}

/* Some fields can only be set on creation: with force the object is made anew. */
static int recreate(struct apps *apps, const struct row *row, const struct node *obj, const struct write_opts *wo,
		    struct change *c, struct err *err)
{
	err_free(err);
	TRY(apply_delete(apps, row->live, "Background", err));
	TRY(informer_wait_gone(live_informer(apps->live, row->kind), row->live->uid, err));
	c->verb = "recreated";
	return client_create(apps->client, row->kind, obj, wo, &c->now, err);
}

static void apply_target(struct apps *apps, const struct app_spec *spec, const struct row *row, const char *name,
			 const struct apply_opts *o, struct applied *out)
{
	const struct write_opts wo = { .manager = MANAGER, .force = true, .dry_run = o->dry_run };
	struct change c = { NULL, "" };
	AUTO(err) err = { 0 };
	AUTO_DOC d = doc_of(row->target->root);
	bool force = o->force || sync_option(row->target->root, "Force=true");

	node_put(d, doc_root(d), "metadata.name", node_str(d, name));
	(void)node_del(node_get(doc_root(d), "metadata"), "generateName");
	int r = apply(apps, spec, row, doc_root(d), &wo, &c, &err);
	if (force && !o->dry_run && row->live && (r == -ERR_INVALID || r == -ERR_CONFLICT))
		r = recreate(apps, row, doc_root(d), &wo, &c, &err);
	out->failed = r < 0;
	out->status = r < 0 ? "SyncFailed" : "Synced";
	if (r < 0) {
		str_addc(&out->message, err_msg(&err));
	} else {
		add_name(&out->message, &row->ref, name);
		str_addf(&out->message, " %s%s", c.verb, o->dry_run ? " (dry run)" : "");
	}
	if (c.now)
		out->revision = c.now->revision;
	object_drop(&c.now);
}

void apply_row(struct apps *apps, const struct app_spec *spec, const struct row *row, const char *name,
	       const struct apply_opts *o, struct applied *out)
{
	AUTO(err) err = { 0 };

	*out = (struct applied){ 0 };
	if (project_check_object(spec->rules, spec, &row->ref, row->kind && !row->kind->namespaced, &err) < 0) {
		out->failed = row->target != NULL;
		out->status = row->target ? "SyncFailed" : "PruneSkipped";
		str_addc(&out->message, err_msg(&err));
	} else if (!row->target) {
		prune(apps, spec, row, o, out);
	} else if (!row->kind) {
		(void)kinds_unknown(apps->client->kinds, node_str_or(row->target->root, "apiVersion", ""), row->ref.kind, &err);
		out->failed = true;
		out->status = "SyncFailed";
		str_addc(&out->message, err_msg(&err));
	} else {
		apply_target(apps, spec, row, name, o, out);
	}
}

int apply_namespace(struct apps *apps, const struct app_spec *spec, struct err *err)
{
	const struct kind *k = kinds_find(apps->client->kinds, "v1", "Namespace");
	const struct node *managed = node_at(spec->root, "spec.syncPolicy.managedNamespaceMetadata");
	const struct member *m;
	AUTO_DOC d = NULL;
	AUTO_OBJECT live = NULL;
	AUTO_OBJECT made = NULL;

	int r = client_get(apps->client, k, NULL, spec->dest_ns, &live, err);
	if (r >= 0 && !node_n(managed))
		return 0;
	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	err_free(err);
	d = doc_new();
	struct node *root = object_start(d, k, NULL, spec->dest_ns);
	node_members(m, node_get(managed, "labels"))
		meta_set_label(d, root, m->key, node_text(m->value));
	node_members(m, node_get(managed, "annotations"))
		meta_set_annotation(d, root, m->key, node_text(m->value));
	if (!live || str_eq(meta_annotation(live->root, NAMESPACE_CREATOR), str_c(&spec->instance)))
		meta_set_annotation(d, root, NAMESPACE_CREATOR, str_c(&spec->instance));
	const struct write_opts wo = { .manager = MANAGER, .force = true };
	if (live)
		return client_apply(apps->client, k, root, &wo, NULL, NULL, err);
	r = client_create(apps->client, k, root, &wo, &made, err);
	if (r == -ERR_ALREADY_EXISTS)
		return 0;
	/* the dry run looks for it */
	return r < 0 ? r : informer_wait_seen(live_informer(apps->live, k), made->revision, err);
}
