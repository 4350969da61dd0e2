/* RFC 3339 times, as metadata and status write them. */
#include "kube/object.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

void time_format(int64_t ms, char out[static 32])
{
	time_t s = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* A number of exactly n digits at *p. */
static bool digits(const char **p, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, ++*p) {
		if (!isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + **p - '0';
	}
	return true;
}

static bool literal(const char **p, char c)
{
	return *(*p)++ == c;
}

/* ".25" is 250 ms; what is finer is cut off. */
static bool fraction(const char **p, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**p != '.')
		return true;
	if (!isdigit((unsigned char)*++*p))
		return false;
	for (; isdigit((unsigned char)**p); ++*p, scale /= 10)
		*ms += (**p - '0') * scale;
	return true;
}

static bool offset(const char **p, int *seconds)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	*seconds = 0;
	if (**p == 'Z' || **p == 'z')
		return literal(p, **p);
	if (*(*p) != '+' && *(*p) != '-')
		return false;
	++*p;
	if (!digits(p, 2, &hours) || !literal(p, ':') || !digits(p, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool time_parse(const char *text, int64_t *ms)
{
	struct tm tm = { 0 }, back;
	int milli, shift;

	if (!text || !digits(&text, 4, &tm.tm_year) || !literal(&text, '-') || !digits(&text, 2, &tm.tm_mon) ||
	    !literal(&text, '-') || !digits(&text, 2, &tm.tm_mday) || (*text | 0x20) != 't')
		return false;
	text++;
	if (!digits(&text, 2, &tm.tm_hour) || !literal(&text, ':') || !digits(&text, 2, &tm.tm_min) ||
	    !literal(&text, ':') || !digits(&text, 2, &tm.tm_sec) || !fraction(&text, &milli) || !offset(&text, &shift) || *text)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	time_t s = timegm(&back);
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min)
		return false;                   /* 31 February */
	*ms = ((int64_t)s - shift) * 1000 + milli;
	return true;
}
