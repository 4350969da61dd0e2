#include "orchestrator/api/cache-internal.h"
#include "orchestrator/api/ring-internal.h"

#include <inttypes.h>

enum { CHANGES_MAX = 2048, BYTES_MAX = 1 << 20, CHANGES_LEAST = 64 };   /* of one resource */

static struct change *at(const struct ring *r, size_t i) { return &r->v[(r->first + i) % r->cap]; }

/* What the ring alone keeps alive for a change: the version that it replaced, and a deletion's last one. */
static size_t cost(const struct change *c)
{
	return (c->before ? c->before->n : 0) + (c->gone ? c->after->n : 0) + sizeof *c;
}

static void forget_oldest(struct ring *r)
{
	struct change *c = at(r, 0);

	r->since = c->revision;
	r->bytes -= cost(c);
	item_drop(&c->before);
	item_drop(&c->after);
	r->first = (r->first + 1) % r->cap;
	r->first_number++;
	r->n--;
}

static void grow(struct ring *r)
{
	size_t cap = r->cap ? r->cap * 2 : 16;
	struct change *v = calloc(cap, sizeof *v);

	if (!v)
		abort();
	for (size_t i = 0; i < r->n; i++)
		v[i] = *at(r, i);
	free(r->v);
	r->v = v;
	r->cap = cap;
	r->first = 0;
}

const struct change *ring_add(struct ring *r, struct change take)
{
	while (r->n >= CHANGES_MAX || (r->n > CHANGES_LEAST && r->bytes > BYTES_MAX))
		forget_oldest(r);
	if (r->n == r->cap)
		grow(r);
	r->bytes += cost(&take);
	*at(r, r->n) = take;
	return at(r, r->n++);
}

void ring_free(struct ring *r)
{
	while (r->n)
		forget_oldest(r);
	free(r->v);
	*r = (struct ring){ 0 };
}

int ring_seek(const struct ring *r, int64_t revision, uint64_t *number, struct err *err)
{
	size_t lo = 0, hi = r->n;

	if (revision < r->since)
		return err_set(err, ERR_EXPIRED, "too old resource version: %" PRId64 " (%" PRId64 ")", revision,
			       r->since);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (at(r, mid)->revision <= revision)
			lo = mid + 1;
		else
			hi = mid;
	}
	*number = r->first_number + lo;
	return 0;
}

const struct change *ring_at(const struct ring *r, uint64_t number)
{
	size_t i = (size_t)(number - r->first_number);

	return number >= r->first_number && i < r->n ? at(r, i) : NULL;
}
