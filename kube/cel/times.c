/* Timestamps, durations, and their parts in a time zone. */
#include "kube/cel/cel-internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)
#define SECOND INT64_C(1000000000)

/* ---- texts ---- */

static bool digits(const char **p, const char *end, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, ++*p) {
		if (*p == end || !isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

static bool take(const char **p, const char *end, char c) { return *p < end && *(*p)++ == c; }

static bool fraction(const char **p, const char *end, int32_t *nanos)
{
	int32_t scale = 100000000;

	*nanos = 0;
	if (*p == end || **p != '.')
		return true;
	if (++*p == end || !isdigit((unsigned char)**p))
		return false;
	for (; *p < end && isdigit((unsigned char)**p); ++*p, scale /= 10)
		*nanos += (**p - '0') * scale;
	return true;
}

static bool offset(const char **p, const char *end, int *seconds)
{
	int sign, hours, minutes;

	*seconds = 0;
	if (*p < end && (**p == 'Z' || **p == 'z'))
		return ++*p == end;
	if (*p == end || (**p != '+' && **p != '-'))
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits(p, end, 2, &hours) || !take(p, end, ':') || !digits(p, end, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return *p == end;
}

bool cel_parse_time(struct sv text, int64_t *s, int32_t *nanos)
{
	const char *p = text.p, *end = p + text.n;
	struct tm tm = { 0 }, back;
	int shift;

	if (!digits(&p, end, 4, &tm.tm_year) || !take(&p, end, '-') || !digits(&p, end, 2, &tm.tm_mon) ||
	    !take(&p, end, '-') || !digits(&p, end, 2, &tm.tm_mday) || p == end || (*p != 'T' && *p != 't'))
		return false;
	p++;
	if (!digits(&p, end, 2, &tm.tm_hour) || !take(&p, end, ':') || !digits(&p, end, 2, &tm.tm_min) ||
	    !take(&p, end, ':') || !digits(&p, end, 2, &tm.tm_sec) || !fraction(&p, end, nanos) ||
	    !offset(&p, end, &shift))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	*s = timegm(&back);
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour ||
	    back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return false;
	*s -= shift;
	return *s >= -62135596800 && *s <= 253402300799;
}

/* As Go writes it: "1h30m", "-1.5s", "100ms". */
bool cel_parse_duration(struct sv text, int64_t *nanos)
{
	static const struct {
		const char *unit;
		int64_t nanos;
	} units[] = {
		{ "ns", 1 },	   { "us", 1000 },  { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 },
		{ "ms", 1000000 }, { "s", SECOND }, { "m", 60 * SECOND },  { "h", 3600 * SECOND },
	};
	const char *p = text.p, *end = p + text.n;
	bool negative = p < end && *p == '-';
	__int128 sum = 0;

	p += p < end && (*p == '-' || *p == '+');
	if (end - p == 1 && *p == '0') {
		*nanos = 0;
		return true;
	}
	if (p == end)
		return false;
	while (p < end) {
		__int128 v = 0, scale = 1;
		bool some = false;
		size_t n = 0, unit;

		for (; p < end && isdigit((unsigned char)*p); p++, some = true)
			if (v < INT64_MAX)
				v = v * 10 + (*p - '0');
		if (p < end && *p == '.')
			for (p++; p < end && isdigit((unsigned char)*p); p++, some = true)
				if (scale < SECOND * 1000000) {
					v = v * 10 + (*p - '0');
					scale *= 10;
				}
		while (p + n < end && p[n] != '.' && !isdigit((unsigned char)p[n]))
			n++;
		for (unit = 0; unit < 8 && !sv_eq_c((struct sv){ p, n }, units[unit].unit); unit++)
			;
		if (!some || unit == 8)
			return false;
		sum += v * units[unit].nanos / scale;
		if (sum > (__int128)INT64_MAX + negative)
			return false;
		p += n;
	}
	*nanos = (int64_t)(negative ? -sum : sum);
	return true;
}

static void add_fraction(struct str *out, int64_t nanos)
{
	char text[16];
	int n = 9;

	if (!nanos)
		return;
	for (; nanos % 10 == 0; nanos /= 10)
		n--;
	for (int i = n; i > 0; nanos /= 10)
		text[--i] = (char)('0' + nanos % 10);
	str_addf(out, ".%.*s", n, text);
}

void cel_write_time(struct str *out, int64_t s, int32_t nanos)
{
	time_t t = s;
	struct tm tm;

	gmtime_r(&t, &tm);
	str_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec);
	add_fraction(out, nanos);
	str_add1(out, 'Z');
}

void cel_write_duration(struct str *out, int64_t nanos)
{
	uint64_t all = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;

	str_addf(out, "%s%" PRIu64, nanos < 0 ? "-" : "", all / (uint64_t)SECOND);
	add_fraction(out, (int64_t)(all % (uint64_t)SECOND));
	str_add1(out, 's');
}

/* ---- parts ---- */

/* UTC, or an offset: "+01:00", "-02:30", "01:00". */
static bool zone_offset(struct sv zone, int *seconds)
{
	const char *p = zone.p, *end = p + zone.n;
	int sign = p < end && *p == '-' ? -1 : 1, hours, minutes;

	*seconds = 0;
	if (sv_eq_c(zone, "UTC") || sv_eq_c(zone, "Z") || sv_eq_c(zone, "GMT") || sv_eq_c(zone, "Etc/UTC"))
		return true;
	p += p < end && (*p == '-' || *p == '+');
	if (!digits(&p, end, 2, &hours) || !take(&p, end, ':') || !digits(&p, end, 2, &minutes) || p != end ||
	    hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

enum part { YEAR, MONTH, DATE, DAY_OF_MONTH, DAY_OF_WEEK, DAY_OF_YEAR, HOURS, MINUTES, SECONDS, MILLISECONDS };

static struct cel_value part(struct cel_eval *e, const struct cel_value *a, size_t n, enum part which)
{
	time_t t = a->i;
	struct tm tm;
	int shift = 0;

	if (n > 1 && !zone_offset(a[1].s, &shift))
		return cel_fail(e, "unknown time zone " SV_FMT, SV_ARG(a[1].s));
	t += shift;
	gmtime_r(&t, &tm);
	const int parts[] = { tm.tm_year + 1900, tm.tm_mon,  tm.tm_mday, tm.tm_mday - 1, tm.tm_wday,
			      tm.tm_yday,	 tm.tm_hour, tm.tm_min,	 tm.tm_sec,	 a->nanos / 1000000 };
	return cel_int(parts[which]);
}

#define PART(name, which)                                                                                              \
	FN(name) { return part(e, a, n, which); }

PART(get_year, YEAR)
PART(get_month, MONTH)
PART(get_date, DATE)
PART(get_day_of_month, DAY_OF_MONTH)
PART(get_day_of_week, DAY_OF_WEEK)
PART(get_day_of_year, DAY_OF_YEAR)
PART(get_hours, HOURS)
PART(get_minutes, MINUTES)
PART(get_seconds, SECONDS)
PART(get_milliseconds, MILLISECONDS)

#define SPAN(name, value)                                                                                              \
	FN(name)                                                                                                       \
	{                                                                                                              \
		(void)e;                                                                                               \
		(void)n;                                                                                               \
		return cel_int(value);                                                                                 \
	}

SPAN(span_hours, a->i / (3600 * SECOND))
SPAN(span_minutes, a->i / (60 * SECOND))
SPAN(span_seconds, a->i / SECOND)
SPAN(span_milliseconds, a->i % SECOND / 1000000)

static const struct cel_overload rows[] = {
	{ "getFullYear", "t.>i", get_year },
	{ "getFullYear", "t.s>i", get_year },
	{ "getMonth", "t.>i", get_month },
	{ "getMonth", "t.s>i", get_month },
	{ "getDate", "t.>i", get_date },
	{ "getDate", "t.s>i", get_date },
	{ "getDayOfMonth", "t.>i", get_day_of_month },
	{ "getDayOfMonth", "t.s>i", get_day_of_month },
	{ "getDayOfWeek", "t.>i", get_day_of_week },
	{ "getDayOfWeek", "t.s>i", get_day_of_week },
	{ "getDayOfYear", "t.>i", get_day_of_year },
	{ "getDayOfYear", "t.s>i", get_day_of_year },
	{ "getHours", "t.>i", get_hours },
	{ "getHours", "t.s>i", get_hours },
	{ "getHours", "D.>i", span_hours },
	{ "getMinutes", "t.>i", get_minutes },
	{ "getMinutes", "t.s>i", get_minutes },
	{ "getMinutes", "D.>i", span_minutes },
	{ "getSeconds", "t.>i", get_seconds },
	{ "getSeconds", "t.s>i", get_seconds },
	{ "getSeconds", "D.>i", span_seconds },
	{ "getMilliseconds", "t.>i", get_milliseconds },
	{ "getMilliseconds", "t.s>i", get_milliseconds },
	{ "getMilliseconds", "D.>i", span_milliseconds },
};

const struct cel_library cel_times = { rows, sizeof rows / sizeof *rows, NULL };
