/* operator/git/push.c - after a push: the applications that follow it are synced, and the pusher reads how that goes. */
#include <stdlib.h>

#include "base/fiber.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "operator/operator-internal.h"

#define WAIT_MS 600000                  /* how long a pusher is kept; the sync goes on without */
#define PACKET_TEXT 900
#define SETS_WAIT_MS 10000

/* ---- which applications ---- */

struct followed { struct app_listener listener; struct push *push; char *ns, *name; bool ended, well; };

struct push {
	struct operator *op;
	const char *repository;
	VEC(struct ref_change) changes;
	VEC(struct followed *) apps;
	struct http_stream *stream;
	struct fiber_cond news;
};

static const struct revision *find(const struct git_refs *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].name, name))
			return &r->v[i];
	return NULL;
}

static void find_changes(struct push *p, const struct git_refs *before, const struct git_refs *after)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct revision *old = find(before, after->v[i].name);
		struct ref_change c = { after->v[i].name, after->v[i].sha };
		if (!old || strcmp(old->sha, after->v[i].sha))
			vec_push(&p->changes, c);
	}
	for (size_t i = 0; i < before->n; i++) {
		struct ref_change c = { before->v[i].name, "" };
		if (!find(after, before->v[i].name))
			vec_push(&p->changes, c);
	}
}

static bool is_pushed(void *arg, const char *url)
{
	const struct push *p = arg;
	AUTO(str) dir = { 0 };
	AUTO(str) ours = { 0 };

	if (repo_dir(p->op->repos, url, &dir, NULL) < 0)
		return false;
	str_addf(&ours, "%s/%s", p->op->root, p->repository);
	return sv_eq(str_sv(&dir), str_sv(&ours));
}

static bool source_follows(struct push *p, const struct node *source)
{
	return is_pushed(p, node_str_or(source, "repoURL", "")) &&
	       revision_follows(node_str_or(source, "targetRevision", ""), node_str_or(source, "tagPrefix", ""), p->changes.v, p->changes.n, "");
}

static bool app_follows(struct push *p, const struct object *o)
{
	const struct node *spec = node_get(o->root, "spec"), *sources = node_get(spec, "sources"), *it;

	node_each(it, sources)
		if (source_follows(p, it))
			return true;
	return !node_n(sources) && source_follows(p, node_get(spec, "source"));
}

/* ---- what the pusher reads ---- */

/* One line as side-band packets: control characters and broken text do not reach the terminal. */
static void say(struct push *p, const char *app, const char *text)
{
	AUTO(str) line = { 0 };
	AUTO(str) clean = { 0 };

	if (!p->stream)
		return;
	str_addf(&line, "%s%s%s", app, *app ? ": " : "", text);
	for (const char *at = str_c(&line), *end = at + line.n; at < end;) {
		uint32_t c = utf8_next(&at, end);
		utf8_add(&clean, c < 0x20 || (c >= 0x7f && c < 0xa0) ? ' ' : c);
	}
	str_add1(&clean, '\n');
	for (struct sv rest = str_sv(&clean); rest.n;) {
		size_t n = rest.n < PACKET_TEXT ? rest.n : PACKET_TEXT;
		AUTO(str) packet = { 0 };
		str_addf(&packet, "%04zx\2" SV_FMT, n + 5, SV_ARG(((struct sv){ rest.p, n })));
		(void)http_stream_write(p->stream, str_sv(&packet));
		rest = sv_drop(rest, n);
	}
}

static void on_news(void *arg, enum app_news what, const char *text)
{
	struct followed *f = arg;

	if (f->ended)
		return;
	say(f->push, f->push->apps.n > 1 ? f->name : "", text);
	if (what == NEWS_LINE)
		return;
	f->ended = true;
	f->well = what == NEWS_WELL;
	fiber_signal_all(&f->push->news);
}

static bool choose(void *arg, const struct object *o)
{
	struct push *p = arg;
	struct followed *f;

	if (!app_follows(p, o))
		return false;
	f = calloc(1, sizeof *f);
	*f = (struct followed){ .push = p, .ns = sv_dup(sv_c(o->ns)), .name = sv_dup(sv_c(o->name)) };
	f->listener = (struct app_listener){ .news = on_news, .arg = f };
	vec_push(&p->apps, f);
	apps_listen(p->op->apps, o->ns, o->name, &f->listener);
	return true;
}

static size_t open_ends(const struct push *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->apps.n; i++)
		n += !p->apps.v[i]->ended;
	return n;
}

static void wait(struct push *p)
{
	int64_t until = loop_now_ms(p->op->loop) + WAIT_MS;

	while (open_ends(p)) {
		int64_t left = until - loop_now_ms(p->op->loop);
		int r = left > 0 ? fiber_wait_ms(&p->news, left) : -ERR_TIMEOUT;
		if (r == -ERR_CANCELED)
			return;
		if (r == -ERR_TIMEOUT) {
			say(p, "", "still not done: the sync goes on; `cd app list` shows how");
			return;
		}
	}
}

static void sum_up(struct push *p)
{
	AUTO(str) failed = { 0 };

	for (size_t i = 0; i < p->apps.n; i++)
		if (p->apps.v[i]->ended && !p->apps.v[i]->well)
			str_addf(&failed, "%s%s", failed.n ? ", " : "", p->apps.v[i]->name);
	if (failed.n) {
		AUTO(str) text = { 0 };
		str_addf(&text, "FAILED: %s. What ran before goes on running where it could; `cd app get NAME` tells more", str_c(&failed));
		say(p, "", str_c(&text));
	}
}

static void push_free(struct push *p)
{
	for (size_t i = 0; i < p->apps.n; i++) {
		struct followed *f = p->apps.v[i];
		apps_unlisten(p->op->apps, f->ns, f->name, &f->listener);
		free(f->ns);
		free(f->name);
		free(f);
	}
	vec_free(&p->apps);
	vec_free(&p->changes);
}

void push_follow(struct operator *op, const char *repository, const struct git_refs *before, const struct git_refs *after,
		 struct http_stream *stream)
{
	__attribute__((cleanup(push_free))) struct push p = { .op = op, .repository = repository, .stream = stream };
	AUTO(str) text = { 0 };

	find_changes(&p, before, after);
	if (!p.changes.n)
		return;
	if (op->appsets && appsets_refresh(op->appsets, is_pushed, &p))
		appsets_settle(op->appsets, SETS_WAIT_MS);      /* applications of new branches come to be */
	size_t n = apps_refresh(op->apps, choose, &p);
	if (!n) {
		str_addf(&text, "no application follows what was pushed to /git/%s; `cd app create` makes one", repository);
		say(&p, "", str_c(&text));
		return;
	}
	if (!stream)
		return;
	wait(&p);
	sum_up(&p);
}
