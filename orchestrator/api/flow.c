#include "orchestrator/api/flow-internal.h"

#include <stdlib.h>

struct waiter { struct fiber_cond ready; bool seated; struct waiter *next; };

struct flow {
	char *name;
	struct waiter *first, **last;
	unsigned n;
	struct flow *prev, *next;       /* of the ring */
};

/* ---- the ring of flows that wait ---- */

static struct flow *flow_of(struct flows *f, const char *name)
{
	struct flow *x = map_get(&f->by_name, sv_c(name));

	if (x)
		return x;
	if (!(x = calloc(1, sizeof *x)))
		abort();
	*x = (struct flow){ .name = sv_dup(sv_c(name)), .last = &x->first, .prev = x, .next = x };
	if (f->next) {                  /* last in turn */
		x->next = f->next;
		x->prev = f->next->prev;
		x->prev->next = x;
		x->next->prev = x;
	} else {
		f->next = x;
	}
	(void)map_put(&f->by_name, sv_c(name), x);
	return x;
}

static void drop_empty(struct flows *f, struct flow *x)
{
	if (x->first)
		return;
	if (f->next == x)
		f->next = x->next == x ? NULL : x->next;
	x->prev->next = x->next;
	x->next->prev = x->prev;
	(void)map_del(&f->by_name, sv_c(x->name));
	free(x->name);
	free(x);
}

static void unlink_waiter(struct flows *f, struct flow *x, struct waiter *w)
{
	struct waiter **at = &x->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (!*at)
		x->last = at;
	x->n--;
	f->waiting--;
	drop_empty(f, x);
}

/* The flow whose turn it is gives its first one, and goes to the end. */
static void seat_next(struct flows *f)
{
	while (f->next && f->taken < f->seats) {
		struct flow *x = f->next;
		struct waiter *w = x->first;

		f->next = x->next;
		f->taken++;
		w->seated = true;
		unlink_waiter(f, x, w);
		fiber_signal_all(&w->ready);
	}
}

/* ---- */

static bool is_exempt(const struct caller *c) { return caller_in(c, "system:masters"); }

/* Accounts of one namespace are one flow: making more of them gains nothing. */
static void name_of(const struct caller *c, struct str *out)
{
	struct sv user = sv_c(c->user), ns, rest;

	if (sv_starts(user, SV("system:serviceaccount:")) && sv_cut(sv_drop(user, 22), ':', &ns, &rest))
		str_addf(out, "namespace " SV_FMT, SV_ARG(ns));
	else
		str_addf(out, "user %s", c->user);
}

static int too_many(struct err *err) { return err_set(err, ERR_BUSY, "too many requests, please try again later"); }

static int wait_for_seat(struct flows *f, struct flow *x, struct err *err)
{
	struct waiter w = { 0 };
	int r = 0;

	*x->last = &w;
	x->last = &w.next;
	x->n++;
	f->waiting++;
	while (!w.seated && r >= 0)
		r = fiber_wait_ms(&w.ready, f->wait_ms);
	if (w.seated)
		return 0;
	unlink_waiter(f, x, &w);
	return fiber_canceled() ? err_set(err, ERR_CANCELED, "the client has gone") : too_many(err);
}

int flow_enter(struct flows *f, const struct caller *c, struct err *err)
{
	AUTO(str) name = { 0 };

	if (!f->seats || is_exempt(c))
		return 1;
	if (f->taken < f->seats && !f->next) {
		f->taken++;
		return 0;
	}
	name_of(c, &name);
	const struct flow *there = map_get(&f->by_name, str_sv(&name));
	if (f->waiting >= FLOW_WAITING_MAX || (there && there->n >= FLOW_LINE_MAX))
		return too_many(err);
	return wait_for_seat(f, flow_of(f, str_c(&name)), err);
}

void flow_leave(struct flows *f)
{
	f->taken--;
	seat_next(f);
}

void flows_free(struct flows *f) { map_free(&f->by_name); }
