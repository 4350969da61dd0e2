#include "orchestrator/controllers/rolling.h"

#include <stdlib.h>

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

static int resolve_text(struct sv text, int64_t total, bool up, int64_t *out, struct err *err)
{
	int64_t percent;

	if (!sv_ends(text, SV("%")) || !sv_to_i64((struct sv){text.p, text.n - 1}, &percent) || percent < 0 ||
	    percent > INT32_MAX)
		return err_set(err, ERR_INVALID, "'" SV_FMT "' is not a whole number and not a percentage",
			       SV_ARG(text));
	*out = (percent * total + (up ? 99 : 0)) / 100;
	return 0;
}

int rolling_resolve(const struct node *value, int64_t total, bool up, int64_t *out, struct err *err)
{
	int64_t n;

	if (node_is(value, NODE_STR))
		return resolve_text(node_sv(value), total, up, out, err);
	if (!node_to_i64(value, &n) || n < 0)
		return err_set(err, ERR_INVALID, "must be a whole number or a percentage");
	*out = n;
	return 0;
}

static int resolve(const struct node *value, const char *field, const char *def, int64_t total, bool up, int64_t *out,
		   struct err *err)
{
	int r = value ? rolling_resolve(value, total, up, out, err) : resolve_text(sv_c(def), total, up, out, err);

	return err_wrap(err, r, "%s", field);
}

int rolling_read(struct rolling *r, int64_t replicas, const struct node *surge, const struct node *unavailable,
		 const char *def, struct err *err)
{
	r->replicas = replicas;
	TRY(resolve(surge, "maxSurge", def, replicas, true, &r->max_surge, err));
	TRY(resolve(unavailable, "maxUnavailable", def, replicas, false, &r->max_unavailable, err));
	if (!r->max_surge && !r->max_unavailable)
		r->max_unavailable = 1;
	r->max_unavailable = min(r->max_unavailable, replicas);
	return 0;
}

static int64_t sum_spec(const struct rolling_set *v, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i].spec;
	return sum;
}

int64_t rolling_new(const struct rolling *r, const struct rolling_set *new, const struct rolling_set *old, size_t n_old)
{
	int64_t room = r->replicas + r->max_surge - new->spec - sum_spec(old, n_old);

	if (new->spec >= r->replicas)
		return r->replicas;
	return new->spec + max(0, min(room, r->replicas - new->spec));
}

void rolling_old(const struct rolling *r, const struct rolling_set *new, const struct rolling_set *old, size_t n_old,
		 int64_t *wanted)
{
	int64_t least = r->replicas - r->max_unavailable, available = new->available;
	int64_t left = new->spec + sum_spec(old, n_old) - least - (new->spec - new->available);

	for (size_t i = 0; i < n_old; i++) {            /* what does not serve anyway */
		int64_t cut = max(0, min(left, old[i].spec - old[i].available));

		wanted[i] = old[i].spec - cut;
		left -= cut;
		available += old[i].available;
	}
	for (size_t i = 0; i < n_old && available > least; i++) {
		int64_t cut = max(0, min(wanted[i], min(left, available - least)));

		wanted[i] -= cut;
		left -= cut;
		available -= cut;
	}
}

/* The change of one set's share, rounded half away from zero. */
static int64_t share(const struct rolling *r, const struct rolling_set *set)
{
	int64_t most = set->most ? set->most : r->replicas, scaled;

	if (!r->replicas || !most)
		return -set->spec;
	scaled = (2 * set->spec * (r->replicas + r->max_surge) + most) / (2 * most);
	return scaled - set->spec;
}

struct by_size { const struct rolling_set *sets; bool growing; };

/* The larger sets first; among equals the newer one when growing and the older one when shrinking. */
static int by_size(const void *a, const void *b, void *arg)
{
	const struct by_size *s = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (s->sets[x].spec != s->sets[y].spec)
		return s->sets[x].spec > s->sets[y].spec ? -1 : 1;
	return (x < y) == s->growing ? 1 : -1;
}

void rolling_scale(const struct rolling *r, const struct rolling_set *sets, size_t n, int64_t *wanted)
{
	int64_t left = (r->replicas ? r->replicas + r->max_surge : 0) - sum_spec(sets, n);
	struct by_size order_by = { sets, left > 0 };
	size_t *order = calloc(n + 1, sizeof *order);

	if (!order)
		abort();
	for (size_t i = 0; i < n; i++) {
		order[i] = i;
		wanted[i] = sets[i].spec;
	}
	qsort_r(order, n, sizeof *order, by_size, &order_by);
	for (size_t i = 0; i < n && left; i++) {
		size_t at = order[i];
		int64_t d = !sets[at].spec ? 0
			    : left > 0	   ? max(0, min(share(r, &sets[at]), left))
					   : min(0, max(share(r, &sets[at]), left));

		wanted[at] += d;
		left -= d;
	}
	if (n && sets[order[0]].spec)                   /* what rounding left over */
		wanted[order[0]] = max(0, wanted[order[0]] + left);
	free(order);
}
