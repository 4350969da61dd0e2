#include "kube/cron.h"

#include "base/str.h"

#include <ctype.h>
#include <strings.h>
#include <time.h>

#define MINUTE_MS 60000
#define HORIZON_DAYS (5 * 366)

struct field { const char *name; int low, high; const char *const *names; int first_name; };

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct field fields[] = {
	{ "minute", 0, 59, NULL, 0 }, { "hour", 0, 23, NULL, 0 }, { "day of the month", 1, 31, NULL, 0 },
	{ "month", 1, 12, months, 1 }, { "day of the week", 0, 7, weekdays, 0 },
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static const struct { const char *name, *means; } shorthands[] = {
	{ "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" },
};

static bool read_value(const struct field *f, struct sv text, int *out)
{
	int64_t n;

	for (int i = 0; f->names && f->names[i]; i++)
		if (text.n == 3 && !strncasecmp(f->names[i], text.p, 3)) {
			*out = f->first_name + i;
			return true;
		}
	if (!text.n || !isdigit((unsigned char)*text.p) || !sv_to_i64(text, &n) || n < f->low || n > f->high)
		return false;
	*out = (int)n;
	return true;
}

/* One item of a list: `*`, 5, 1-5, each with or without a step. */
static bool read_item(const struct field *f, struct sv item, uint64_t *bits)
{
	struct sv range, step_text, from_text, to_text;
	bool stepped = sv_cut(item, '/', &range, &step_text), ranged;
	int from = f->low, to = f->high;
	int64_t step = 1;

	if (stepped && (!sv_to_i64(step_text, &step) || step < 1 || step > f->high))
		return false;
	if (!sv_eq_c(range, "*") && !sv_eq_c(range, "?")) {
		ranged = sv_cut(range, '-', &from_text, &to_text);
		if (!read_value(f, from_text, &from))
			return false;
		to = stepped && !ranged ? f->high : from;
		if (ranged && !read_value(f, to_text, &to))
			return false;
	}
	if (from > to)
		return false;
	for (int i = from; i <= to; i += (int)step)
		*bits |= (uint64_t)1 << i;
	return true;
}

static int read_field(const struct field *f, struct sv text, const char *whole, uint64_t *bits, struct err *err)
{
	struct sv rest = text, item;
	bool more = true;

	*bits = 0;
	while (more) {
		more = sv_cut(rest, ',', &item, &rest);
		if (!read_item(f, item, bits))
			return err_set(err, ERR_INVALID, "schedule '%s': '" SV_FMT "' is not a %s (%d to %d)", whole,
				       SV_ARG(text), f->name, f->low, f->high);
	}
	return 0;
}

static bool is_any(struct sv text) { return text.n && (*text.p == '*' || *text.p == '?'); }

int cron_parse(const char *text, struct cron *out, struct err *err)
{
	struct sv rest = sv_trim(sv_c(text)), all[N_FIELDS];
	uint64_t bits[N_FIELDS];

	for (size_t i = 0; i < sizeof shorthands / sizeof *shorthands; i++)
		if (sv_eq_c(rest, shorthands[i].name))
			rest = sv_c(shorthands[i].means);
	for (size_t i = 0; i < N_FIELDS; i++) {
		size_t n = 0;

		while (n < rest.n && !isspace((unsigned char)rest.p[n]))
			n++;
		all[i] = (struct sv){ rest.p, n };
		rest = sv_trim(sv_drop(rest, n));
		if (!n)
			return err_set(err, ERR_INVALID,
				       "schedule '%s': expected 5 fields: minute hour day month weekday", text);
		TRY(read_field(&fields[i], all[i], text, &bits[i], err));
	}
	if (rest.n)
		return err_set(err, ERR_INVALID, "schedule '%s': more than 5 fields", text);
	*out = (struct cron){ bits[0], (uint32_t)bits[1], (uint32_t)bits[2], (uint32_t)bits[3], (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
		is_any(all[2]), is_any(all[4]) };
	return 0;
}

/* Both days restricted: one of them is enough. */
static bool day_matches(const struct cron *c, const struct tm *t)
{
	bool day = c->days >> t->tm_mday & 1, weekday = c->weekdays >> t->tm_wday & 1;

	if (!(c->months >> (t->tm_mon + 1) & 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

int64_t cron_next(const struct cron *c, int64_t after_ms)
{
	time_t at = (time_t)(after_ms / MINUTE_MS * 60 + 60);
	struct tm t;

	for (int days = 0; days < HORIZON_DAYS; days++) {
		gmtime_r(&at, &t);
		for (int m = t.tm_hour * 60 + t.tm_min; day_matches(c, &t) && m < 24 * 60; m++)
			if ((c->hours >> (m / 60) & 1) && (c->minutes >> (m % 60) & 1))
				return (int64_t)(at - t.tm_hour * 3600 - t.tm_min * 60 + m * 60) * 1000;
		at += 24 * 3600 - t.tm_hour * 3600 - t.tm_min * 60;     /* the next midnight */
	}
	return -1;
}
