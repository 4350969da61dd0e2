/* `cd render --diff live`: the cluster's objects, and what applying would make of them. */
#include "cli/render.h"

#include "base/fiber.h"
#include "base/json.h"
#include "kube/client.h"
#include "kube/patch/patch.h"
#include "kube/schema/schema.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct task {
	const struct docs *want;
	const char *kubeconfig, *context;
	struct docs *live, *applied;
	struct err *err;
};

/* What the cluster writes itself says nothing about the change. */
static void strip(struct node *root)
{
	static const char *const noise[] = { "managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink" };
	struct node *metadata = node_get(root, "metadata"), *annotations = node_get(metadata, "annotations");

	for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++)
		node_del(metadata, noise[i]);
	node_del(annotations, LAST_APPLIED);
	if (annotations && !annotations->n)
		node_del(metadata, "annotations");
	node_del(root, "status");
}

static struct doc *stripped(const struct node *root)
{
	struct doc *d = doc_of(root);

	strip(doc_root(d));
	return d;
}

/* As `kubectl apply`: what was applied last, what is wanted, and what is there, make the new object; the server's defaults
 * fill in what the merge left open. */
static int apply(const struct object *live, const struct node *want, struct doc **out, struct err *err)
{
	const char *last = meta_annotation(live->root, LAST_APPLIED);
	AUTO_DOC before = NULL;
	AUTO_DOC d = doc_new();
	struct node *root;

	if (last && json_read(sv_c(last), LAST_APPLIED, 0, &before, NULL) < 0)
		before = NULL;
	TRY(patch_three_way(d, doc_root(before), want, live->root, live->kind->type, &root, err));
	schema_default(d, root, live->kind);
	*out = stripped(root);
	return 0;
}

static int look_up(struct client *c, struct task *t, const struct node *rendered)
{
	const char *ns = node_str_at(rendered, "metadata.namespace");
	const struct kind *kind = client_kind(c, node_str_or(rendered, "apiVersion", ""), node_str_or(rendered, "kind", ""), NULL);
	AUTO_DOC d = doc_of(rendered);
	struct node *want = doc_root(d);
	AUTO_OBJECT live = NULL;
	struct doc *applied = NULL;
	int r;

	if (!kind) {                    /* the cluster does not know the kind yet: the object will be new */
		vec_push(t->applied, doc_ref(d));
		return 0;
	}
	if (kind->namespaced && !ns) {  /* as who applies it says, and remembers */
		ns = client_namespace(c);
		node_put(d, want, "metadata.namespace", node_str(d, ns));
	}
	r = client_get(c, kind, kind->namespaced ? ns : NULL, node_str_or(want, "metadata.name", ""), &live, t->err);
	if (r == -ERR_NOT_FOUND) {
		err_free(t->err);
		vec_push(t->applied, doc_ref(d));
		return 0;
	}
	TRY(r);
	TRY(apply(live, want, &applied, t->err));
	vec_push(t->applied, applied);
	vec_push(t->live, stripped(live->root));
	return 0;
}

static int run(void *arg)
{
	struct task *t = arg;
	struct client *c = client_https(fiber_loop(), t->kubeconfig, t->context, t->err);
	int r = c ? 0 : -ERR_UNAVAILABLE;

	for (size_t i = 0; r >= 0 && i < t->want->n; i++)
		r = look_up(c, t, doc_root(t->want->v[i]));
	if (c)
		client_free(&c);
	return r;
}

int render_live(const struct docs *want, const char *kubeconfig, const char *context, struct docs *live, struct docs *applied,
		struct err *err)
{
	return fiber_main(run, &(struct task){ want, kubeconfig, context, live, applied, err });
}
