/* Images for containers: found on this machine or pulled, each name once at a time however many pods wait for it. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "kube/informer.h"
#include "runtime/agent/pull-secret.h"
#include "runtime/image/name.h"

struct pull {
	struct pulls *pulls;
	char *name;
	struct object *about;           /* the pod that asked: events are about it */
	bool busy, failed, done;        /* done: pulled, and not yet used by the one who asked */
	bool shown;                     /* the failure was looked at: from then on it is a back-off */
	struct backoff backoff;
	int64_t retry_ms, began_ms;
	char *error, *message;          /* what the registry said; what was shown last */
};

struct pulls { struct agent *a; struct map by_name; };

struct pulls *pulls_new(struct agent *a)
{
	struct pulls *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->a = a;
	return p;
}

void pulls_free(struct pulls **pp)
{
	struct pulls *p = TAKE(*pp);
	struct map_slot *s;

	if (!p)
		return;
	map_each(s, &p->by_name) {
		struct pull *one = s->value;

		free(one->name);
		free(one->error);
		free(one->message);
		object_drop(&one->about);
		free(one);
	}
	map_free(&p->by_name);
	free(p);
}

static const char *policy_of(const struct unit *u, const char *image)
{
	const char *policy = node_str_or(unit_spec(u), "imagePullPolicy", ""), *name = strrchr(image, '/');

	if (*policy)
		return policy;
	name = name ? name : image;
	return strchr(name, '@') || (strchr(name, ':') && !sv_ends(sv_c(name), SV(":latest"))) ? "IfNotPresent"
											       : "Always";
}

/* "demo:v1" names no registry ("", then): when nobody offers it, the copy that was built here is what is meant. */
static void registry_of(const char *image, struct str *out)
{
	AUTO(image_name) n = { 0 };

	if (image_name_parse(&n, image, NULL) >= 0)
		str_move(out, &n.registry);
}

/* The first of the pod's imagePullSecrets that knows the registry. */
static void find_login(struct agent *a, const struct object *pod, const char *registry, struct registry_login *out)
{
	const struct node *list = node_at(pod->root, "spec.imagePullSecrets"), *it;

	node_each(it, list) {
		struct object *secret = informer_get(a->secrets, pod->ns, node_str_or(it, "name", ""));

		if (secret && pull_secret_find(secret->root, registry, out))
			return;
		str_cut(&out->user, 0);
		str_cut(&out->password, 0);
	}
}

static bool is_here(struct pulls *p, const char *image)
{
	AUTO(image) found = { 0 };

	return image_find(p->a->images, image, &found, NULL) >= 0;
}

static void fail(struct pull *p, const struct err *err)
{
	p->failed = true;
	p->shown = false;
	free(p->error);
	p->error = str_fmt("failed to pull image \"%s\": %s", p->name, err_msg(err));
	if (!p->backoff.next_ms)
		(void)backoff_next(&p->backoff, 0);     /* unlike a crash, the first failure waits */
	p->retry_ms = loop_now_ms(p->pulls->a->loop) + backoff_next(&p->backoff, 0);
}

static void run(void *arg)
{
	struct pull *p = arg;
	struct agent *a = p->pulls->a;
	AUTO_OBJECT about = TAKE(p->about);
	AUTO(registry_login) login = { 0 };
	AUTO(str) registry = { 0 };
	AUTO(err) err = { 0 };
	int r;

	registry_of(p->name, &registry);
	find_login(a, about, str_c(&registry), &login);
	r = image_pull(a->images, p->name, &(struct image_pull_opts){ .user = login.user.n ? str_c(&login.user) : NULL,
		       .password = login.user.n ? str_c(&login.password) : NULL }, &err);
	p->busy = false;
	if (r < 0 && !registry.n && is_here(p->pulls, p->name))
		r = 0;
	if (r < 0) {
		fail(p, &err);
		if (r != -ERR_CANCELED)
			agent_event_about(a, about, "Warning", "Failed", "%s", p->error);
	} else {
		p->done = true;
		p->failed = false;
		p->backoff.next_ms = 0;
		agent_event_about(a, about, "Normal", "Pulled", "Successfully pulled image \"%s\" in %lldms", p->name,
				  (long long)(loop_now_ms(a->loop) - p->began_ms));
	}
	poke_all(a);
}

static struct pull *pull_of(struct pulls *ps, const char *image)
{
	struct pull *p = map_get(&ps->by_name, sv_c(image));

	if (p)
		return p;
	if (!(p = calloc(1, sizeof *p)))
		abort();
	p->pulls = ps;
	p->name = sv_dup(sv_c(image));
	map_put(&ps->by_name, sv_c(image), p);
	return p;
}

static enum pull_state begin(struct pull *p, struct unit *u)
{
	p->busy = true;
	p->about = object_ref(u->w->object);
	p->began_ms = loop_now_ms(p->pulls->a->loop);
	agent_event(u->w, "Normal", "Pulling", "Pulling image \"%s\"", p->name);
	fiber_group_start(&p->pulls->a->fibers, "pull", run, p);
	return PULL_BUSY;
}

struct refusal { const char **reason, **message; int64_t *retry_ms; };

static enum pull_state refuse(struct pull *p, const struct refusal *r, const char *reason, int64_t retry_ms,
			      const char *fmt, ...) PRINTF(5, 6);
static enum pull_state refuse(struct pull *p, const struct refusal *r, const char *reason, int64_t retry_ms,
			      const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	free(p->message);
	p->message = str_take(&text);
	*r->reason = reason;
	*r->message = p->message;
	*r->retry_ms = retry_ms;
	return PULL_FAILED;
}

/* The pull failed: shown as that for a moment, then as a back-off, as kubelet's next look does. */
static enum pull_state wait_again(struct pull *p, struct unit *u, const struct refusal *r)
{
	int64_t now = loop_now_ms(p->pulls->a->loop);

	if (now >= p->retry_ms)
		return begin(p, u);
	if (!p->shown) {
		p->shown = true;
		return refuse(p, r, "ErrImagePull", now + 1000, "%s", p->error);
	}
	return refuse(p, r, "ImagePullBackOff", p->retry_ms, "Back-off pulling image \"%s\": %s", p->name, p->error);
}

enum pull_state pulls_need(struct pulls *ps, struct unit *u, struct image *out, const char **reason,
			   const char **message, int64_t *retry_ms)
{
	const char *image = node_str_or(unit_spec(u), "image", ""), *policy = policy_of(u, image);
	const struct refusal refusal = { reason, message, retry_ms };
	int64_t later = loop_now_ms(ps->a->loop) + 10000;
	struct pull *p = pull_of(ps, image);
	AUTO(err) err = { 0 };
	bool pulled = p->done;
	int r;

	if (p->busy)
		return PULL_BUSY;
	if (pulled || !str_eq(policy, "Always")) {
		p->done = false;
		r = image_find(ps->a->images, image, out, &err);
		if (r >= 0 && !pulled)
			agent_event(u->w, "Normal", "Pulled", "Container image \"%s\" already present on machine",
				    image);
		if (r >= 0)
			return PULL_READY;
		if (r != -ERR_NOT_FOUND)
			return refuse(p, &refusal, "InvalidImageName", later, "%s", err_msg(&err));
		if (str_eq(policy, "Never"))
			return refuse(p, &refusal, "ErrImageNeverPull", later,
				      "Container image \"%s\" is not present with pull policy of Never", image);
	}
	return p->failed ? wait_again(p, u, &refusal) : begin(p, u);
}
