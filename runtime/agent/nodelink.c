/* What the API asks of this node beside objects: finding the container, and ending what runs when the agent stops. */
#include "runtime/agent/agent-internal.h"

struct session { struct session *next; struct fiber *fiber; };

static void session_begin(struct agent *a, struct session *s)
{
	*s = (struct session){ a->sessions, fiber_self() };
	a->sessions = s;
}

static void session_end(struct agent *a, struct session *s)
{
	struct session **at = &a->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	fiber_signal_all(&a->sessions_changed);
}

void sessions_end(struct agent *a)
{
	for (struct session *s = a->sessions; s; s = s->next)
		fiber_cancel(s->fiber);
	while (a->sessions && fiber_wait(&a->sessions_changed) == 0)
		;
}

static int find_pod(struct agent *a, const char *ns, const char *pod, struct worker **out, struct err *err)
{
	*out = a->stopping ? NULL : agent_find(a, ns, pod);
	return *out ? 0 : err_set(err, ERR_NOT_FOUND, "pod %s/%s is not on this node", ns, pod);
}

static int find_container(struct nodelink *link, const char *ns, const char *pod, const char *name, struct container **out,
			  struct err *err)
{
	struct container_status status = { .state = CONTAINER_EXITED };
	struct worker *w;

	TRY(find_pod(agent_of(link), ns, pod, &w, err));
	for (size_t i = 0; i < w->n_units; i++)
		if (str_eq(w->units[i].name, name) && w->units[i].c) {
			*out = w->units[i].c;
			container_get(*out, &status);
		}
	if (status.state == CONTAINER_RUNNING)
		return 0;
	return err_set(err, ERR_BAD_REQUEST, "container \"%s\" in pod \"%s\" is not running", name, pod);
}

static int running(struct nodelink *link, const char *ns, const char *pod, const char *container, struct err *err)
{
	struct container *c;

	return find_container(link, ns, pod, container, &c, err);
}

static int exec(struct nodelink *link, const char *ns, const char *pod, const char *container, const char *const *argv,
		bool tty, const struct client_streams *io, struct err *err)
{
	struct agent *a = agent_of(link);
	struct container *c;
	struct session s;

	TRY(find_container(link, ns, pod, container, &c, err));
	session_begin(a, &s);
	int r = node_exec(a, c, argv, tty, io, err);
	session_end(a, &s);
	return r;
}

static int attach(struct nodelink *link, const char *ns, const char *pod, const char *container,
		  const struct client_streams *io, struct err *err)
{
	struct agent *a = agent_of(link);
	struct container *c;
	struct session s;

	TRY(find_container(link, ns, pod, container, &c, err));
	session_begin(a, &s);
	int r = node_attach(c, io, err);
	session_end(a, &s);
	return r;
}

static int forward(struct nodelink *link, const char *ns, const char *pod, uint16_t port, struct duplex *client,
		   struct err *err)
{
	struct agent *a = agent_of(link);
	struct worker *w;
	struct session s;

	TRY(find_pod(a, ns, pod, &w, err));
	session_begin(a, &s);
	int r = node_forward(w, port, client, err);
	session_end(a, &s);
	return r;
}

const struct nodelink_ops nodelink_ops = { node_logs, running, exec, attach, forward };
