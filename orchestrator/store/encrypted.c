/* A store around another one: values are encrypted on their way in, and as they were on their way out. */
#include "orchestrator/store/encryption.h"
#include "orchestrator/store/store.h"

#include "base/vec.h"

#include <stdlib.h>

struct encrypted;

struct listener { struct encrypted *s; store_event_fn *fn; void *arg; struct err err; };

struct encrypted {
	struct store base;              /* first */
	struct store *inner;
	struct encryption *how;
	VEC(struct listener *) listeners;
};

static struct encrypted *of(struct store *st) { return (struct encrypted *)st; }

/* The value as it was written, in place of the stored one. */
static int reveal(struct encrypted *s, struct kv *kv, struct err *err)
{
	AUTO(str) plain = { 0 };
	bool stale;

	TRY(encryption_open(s->how, kv->key, (struct sv){ kv->value, kv->value_n }, &plain, &stale, err));
	free(kv->value);
	kv->value_n = plain.n;
	kv->value = str_take(&plain);
	return 0;
}

static int get(struct store *st, const char *key, struct kv *out, struct err *err)
{
	TRY(of(st)->inner->ops->get(of(st)->inner, key, out, err));
	int r = reveal(of(st), out, err);

	if (r < 0)
		kv_free(out);
	return r;
}

struct ranging { struct encrypted *s; int (*fn)(void *, const struct kv *); void *arg; struct err *err; };

static int each(void *arg, const struct kv *kv)
{
	struct ranging *r = arg;
	AUTO(str) plain = { 0 };
	struct kv out = *kv;
	bool stale;

	TRY(encryption_open(r->s->how, kv->key, (struct sv){ kv->value, kv->value_n }, &plain, &stale, r->err));
	out.value = plain.p ? plain.p : out.value;
	out.value_n = plain.n;
	return r->fn(r->arg, &out);
}

static int range(struct store *st, const char *prefix, int64_t at, int (*fn)(void *, const struct kv *), void *arg,
		 int64_t *revision, struct err *err)
{
	struct ranging r = { of(st), fn, arg, err };

	return of(st)->inner->ops->range(of(st)->inner, prefix, at, each, &r, revision, err);
}

static int put(struct store *st, const char *key, int64_t expect, struct sv value, int64_t *revision, struct err *err)
{
	AUTO(str) sealed = { 0 };

	TRY(encryption_seal(of(st)->how, key, value, &sealed, err));
	return of(st)->inner->ops->put(of(st)->inner, key, expect, str_sv(&sealed), revision, err);
}

static int del(struct store *st, const char *key, int64_t expect, int64_t *revision, struct err *err)
{
	return of(st)->inner->ops->del(of(st)->inner, key, expect, revision, err);
}

/* ---- events ---- */

static void on_event(void *arg, const struct store_event *e)
{
	struct listener *l = arg;
	AUTO(str) plain = { 0 };
	struct store_event out = *e;
	bool stale;

	if (l->err.code)
		return;
	if (e->type == STORE_PUT && encryption_open(l->s->how, e->key, e->value, &plain, &stale, &l->err) < 0)
		return;
	out.value = str_sv(&plain);
	l->fn(l->arg, &out);
}

static void drop_listener(struct encrypted *s, size_t i)
{
	struct listener *l = s->listeners.v[i];

	s->inner->ops->unsubscribe(s->inner, on_event, l);
	s->listeners.v[i] = s->listeners.v[--s->listeners.n];
	err_free(&l->err);
	free(l);
}

static int subscribe(struct store *st, int64_t from, store_event_fn *fn, void *arg, struct err *err)
{
	struct encrypted *s = of(st);
	struct listener *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	*l = (struct listener){ .s = s, .fn = fn, .arg = arg };
	vec_push(&s->listeners, l);
	int r = s->inner->ops->subscribe(s->inner, from, on_event, l, err);
	if (r >= 0 && l->err.code)      /* a value of the past */
		r = err_move(err, &l->err);
	if (r < 0)
		drop_listener(s, s->listeners.n - 1);
	return r;
}

static void unsubscribe(struct store *st, store_event_fn *fn, void *arg)
{
	struct encrypted *s = of(st);

	for (size_t i = 0; i < s->listeners.n; i++)
		if (s->listeners.v[i]->fn == fn && s->listeners.v[i]->arg == arg) {
			drop_listener(s, i);
			return;
		}
}

/* ---- the rest is the other store's ---- */

static int64_t revision(struct store *st) { return of(st)->inner->ops->revision(of(st)->inner); }
static int64_t compacted(struct store *st) { return of(st)->inner->ops->compacted(of(st)->inner); }

static int compact(struct store *st, int64_t before, struct err *err)
{
	return of(st)->inner->ops->compact(of(st)->inner, before, err);
}

static void free_store(struct store *st)
{
	struct encrypted *s = of(st);

	s->inner->ops->free(s->inner);
	for (size_t i = 0; i < s->listeners.n; i++) {
		err_free(&s->listeners.v[i]->err);
		free(s->listeners.v[i]);
	}
	vec_free(&s->listeners);
	encryption_free(&s->how);
	free(s);
}

static const struct store_ops ops = {
	.get = get, .range = range, .put = put, .del = del, .subscribe = subscribe, .unsubscribe = unsubscribe,
	.revision = revision, .compacted = compacted, .compact = compact, .free = free_store,
};

struct store *store_encrypted(struct store *take_inner, struct encryption *take_how)
{
	struct encrypted *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	*s = (struct encrypted){ .base = { &ops }, .inner = take_inner, .how = take_how };
	return &s->base;
}

/* ---- after the keys have changed ---- */

struct stale { struct encryption *how; VEC(struct kv) found; };

static int find_stale(void *arg, const struct kv *kv)
{
	struct stale *f = arg;
	AUTO(str) plain = { 0 };
	bool stale;

	/* What does not open is reported by whoever reads it. */
	if (encryption_open(f->how, kv->key, (struct sv){ kv->value, kv->value_n }, &plain, &stale, NULL) < 0 || !stale)
		return 0;
	struct kv copy = { sv_dup(sv_c(kv->key)), NULL, plain.n, kv->created, kv->modified };
	copy.value = str_take(&plain);
	vec_push(&f->found, copy);
	return 0;
}

int store_encrypt_again(struct store *st, size_t *n, struct err *err)
{
	struct encrypted *s = of(st);
	struct stale f = { .how = s->how };
	int r = s->inner->ops->range(s->inner, "/registry/", 0, find_stale, &f, NULL, err);

	*n = f.found.n;
	for (size_t i = 0; i < f.found.n; i++) {
		struct kv *kv = &f.found.v[i];

		if (r >= 0)
			r = put(st, kv->key, kv->modified, (struct sv){ kv->value, kv->value_n }, NULL, err);
		kv_free(kv);
	}
	vec_free(&f.found);
	if (r >= 0 && *n)       /* the past holds what was to go */
		r = compact(st, revision(st), err);
	return r;
}
