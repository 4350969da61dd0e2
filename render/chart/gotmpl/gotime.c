#include "render/chart/gotmpl/gotime.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#define SECOND ((int64_t)1000000000)

/* ---- durations ---- */

static void add_fraction(int64_t v, int64_t unit, const char *name, struct str *out)
{
	AUTO(str) digits = { 0 };

	str_addf(out, "%" PRId64, v / unit);
	if (v % unit) {
		int width = 0;

		for (int64_t u = unit; u > 1; u /= 10)
			width++;
		str_addf(&digits, "%0*" PRId64, width, v % unit);
		while (digits.p[digits.n - 1] == '0')
			str_cut(&digits, digits.n - 1);
		str_addf(out, ".%s", str_c(&digits));
	}
	str_addc(out, name);
}

void go_duration_text(int64_t ns, struct str *out)
{
	if (!ns) {
		str_addc(out, "0s");
		return;
	}
	if (ns < 0) {
		str_add1(out, '-');
		ns = ns == INT64_MIN ? INT64_MAX : -ns;
	}
	if (ns < 1000)
		str_addf(out, "%" PRId64 "ns", ns);
	else if (ns < 1000000)
		add_fraction(ns, 1000, "\xc2\xb5s", out);
	else if (ns < SECOND)
		add_fraction(ns, 1000000, "ms", out);
	if (ns < SECOND)
		return;
	int64_t minutes = ns / SECOND / 60;
	if (minutes >= 60)
		str_addf(out, "%" PRId64 "h", minutes / 60);
	if (minutes)
		str_addf(out, "%" PRId64 "m", minutes % 60);
	add_fraction(ns % (60 * SECOND), SECOND, "s", out);
}

static const struct { const char *name; int64_t ns; } units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 }, { "ms", 1000000 }, { "s", SECOND },
	{ "m", 60 * SECOND }, { "h", 3600 * SECOND },
};

/* One number with its unit. */
static bool take_part(struct sv *s, double *total)
{
	double v = 0, scale = 1;
	bool digits = false, point = false;
	size_t n = 0;

	for (; n < s->n && (isdigit((unsigned char)s->p[n]) || (s->p[n] == '.' && !point)); n++) {
		if (s->p[n] == '.') {
			point = true;
			continue;
		}
		digits = true;
		v = v * 10 + (s->p[n] - '0');
		scale *= point ? 10 : 1;
	}
	*s = sv_drop(*s, n);
	for (n = 0; n < s->n && !isdigit((unsigned char)s->p[n]) && s->p[n] != '.'; n++)
		;
	for (size_t i = 0; digits && i < sizeof units / sizeof *units; i++)
		if (sv_eq((struct sv){ s->p, n }, sv_c(units[i].name))) {
			*total += v / scale * (double)units[i].ns;
			*s = sv_drop(*s, n);
			return true;
		}
	return false;
}

bool go_duration_parse(struct sv s, int64_t *ns)
{
	bool negative = sv_starts(s, SV("-"));
	double total = 0;

	if (negative || sv_starts(s, SV("+")))
		s = sv_drop(s, 1);
	if (sv_eq_c(s, "0")) {
		*ns = 0;
		return true;
	}
	if (!s.n)
		return false;
	while (s.n)
		if (!take_part(&s, &total))
			return false;
	if (total > 9.2e18)
		return false;
	*ns = (int64_t)(negative ? -total : total);
	return true;
}

/* ---- layouts ---- */

static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
				      "October", "November", "December" };
static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

enum part { PART_TEXT, PART_MONTH, PART_MON, PART_M, PART_0M, PART_WEEKDAY, PART_DAY3, PART_D, PART_SPACE_D, PART_0D, PART_YEARDAY,
	    PART_24H, PART_H, PART_0H, PART_MIN, PART_0MIN, PART_S, PART_0S, PART_YEAR, PART_YY, PART_AM, PART_am, PART_ZONE, PART_ZULU,
	    PART_OFFSET };

/* Longer ones first where one begins with another. */
static const struct { const char *text; enum part part; } parts[] = {
	{ "January", PART_MONTH }, { "Jan", PART_MON }, { "Monday", PART_WEEKDAY }, { "Mon", PART_DAY3 }, { "MST", PART_ZONE },
	{ "2006", PART_YEAR }, { "002", PART_YEARDAY }, { "01", PART_0M }, { "02", PART_0D }, { "03", PART_0H }, { "04", PART_0MIN },
	{ "05", PART_0S }, { "06", PART_YY }, { "_2", PART_SPACE_D }, { "15", PART_24H }, { "1", PART_M }, { "2", PART_D },
	{ "3", PART_H }, { "4", PART_MIN }, { "5", PART_S }, { "PM", PART_AM }, { "pm", PART_am }, { "Z07:00", PART_ZULU },
	{ "Z0700", PART_ZULU }, { "-07:00", PART_OFFSET }, { "-0700", PART_OFFSET }, { "-07", PART_OFFSET },
};

/* The part at the start of a layout and its length; text of one byte when it is none. */
static enum part next_part(struct sv layout, size_t *n)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (sv_starts(layout, sv_c(parts[i].text)) && !(parts[i].part == PART_SPACE_D && sv_starts(layout, SV("_2006")))) {
			*n = strlen(parts[i].text);
			return parts[i].part;
		}
	*n = 1;
	return PART_TEXT;
}

/* ".000" or ".999" right behind: digits of the second's fraction; how many, and whether trailing zeros are kept. */
static size_t fraction_length(struct sv layout)
{
	size_t n = 1;

	if (layout.n < 2 || (*layout.p != '.' && *layout.p != ',') || (layout.p[1] != '0' && layout.p[1] != '9'))
		return 0;
	while (n < layout.n && layout.p[n] == layout.p[1])
		n++;
	return n < layout.n && isdigit((unsigned char)layout.p[n]) ? 0 : n;
}

static void add_digits(int64_t ns, struct sv mark, struct str *out)
{
	char digits[16];
	size_t n = mark.n - 1 < 9 ? mark.n - 1 : 9;

	snprintf(digits, sizeof digits, "%09" PRId64, ns);
	if (mark.p[1] == '9')
		while (n && digits[n - 1] == '0')
			n--;
	if (n || mark.p[1] == '0') {
		str_add1(out, *mark.p);
		str_add(out, (struct sv){ digits, n });
	}
}

static void add_part(const struct tm *t, enum part part, struct sv layout, size_t n, struct str *out)
{
	int hour12 = t->tm_hour % 12 ? t->tm_hour % 12 : 12;

	switch (part) {
	case PART_TEXT:    str_add(out, (struct sv){ layout.p, n }); break;
	case PART_MONTH:   str_addc(out, months[t->tm_mon]); break;
	case PART_MON:     str_add(out, (struct sv){ months[t->tm_mon], 3 }); break;
	case PART_M:       str_addf(out, "%d", t->tm_mon + 1); break;
	case PART_0M:      str_addf(out, "%02d", t->tm_mon + 1); break;
	case PART_WEEKDAY: str_addc(out, days[t->tm_wday]); break;
	case PART_DAY3:    str_add(out, (struct sv){ days[t->tm_wday], 3 }); break;
	case PART_D:       str_addf(out, "%d", t->tm_mday); break;
	case PART_SPACE_D: str_addf(out, "%2d", t->tm_mday); break;
	case PART_0D:      str_addf(out, "%02d", t->tm_mday); break;
	case PART_YEARDAY: str_addf(out, "%03d", t->tm_yday + 1); break;
	case PART_24H:     str_addf(out, "%02d", t->tm_hour); break;
	case PART_H:       str_addf(out, "%d", hour12); break;
	case PART_0H:      str_addf(out, "%02d", hour12); break;
	case PART_MIN:     str_addf(out, "%d", t->tm_min); break;
	case PART_0MIN:    str_addf(out, "%02d", t->tm_min); break;
	case PART_S:       str_addf(out, "%d", t->tm_sec); break;
	case PART_0S:      str_addf(out, "%02d", t->tm_sec); break;
	case PART_YEAR:    str_addf(out, "%04d", t->tm_year + 1900); break;
	case PART_YY:      str_addf(out, "%02d", (t->tm_year + 1900) % 100); break;
	case PART_AM:      str_addc(out, t->tm_hour < 12 ? "AM" : "PM"); break;
	case PART_am:      str_addc(out, t->tm_hour < 12 ? "am" : "pm"); break;
	case PART_ZONE:    str_addc(out, "UTC"); break;
	case PART_ZULU:    str_add1(out, 'Z'); break;
	case PART_OFFSET:  str_addc(out, n == 6 ? "+00:00" : n == 5 ? "+0000" : "+00"); break;
	}
}

void go_time_format(int64_t seconds, int64_t ns, struct sv layout, struct str *out)
{
	time_t clock = (time_t)seconds;
	struct tm t;

	gmtime_r(&clock, &t);
	while (layout.n) {
		size_t n = fraction_length(layout);

		if (n) {
			add_digits(ns, (struct sv){ layout.p, n }, out);
		} else {
			enum part part = next_part(layout, &n);

			add_part(&t, part, layout, n, out);
		}
		layout = sv_drop(layout, n);
	}
}

/* ---- parsing ---- */

static bool take_int(struct sv *s, size_t least, size_t most, int *out)
{
	size_t n = 0;

	for (*out = 0; n < most && n < s->n && isdigit((unsigned char)s->p[n]); n++)
		*out = *out * 10 + (s->p[n] - '0');
	*s = sv_drop(*s, n);
	return n >= least;
}

static bool take_name(struct sv *s, const char *const *names, size_t count, size_t length, int *out)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = length ? length : strlen(names[i]);

		if (s->n >= n && !strncasecmp(s->p, names[i], n)) {
			*s = sv_drop(*s, n);
			*out = (int)i;
			return true;
		}
	}
	return false;
}

struct parsing { struct tm t; bool pm, hour12; int offset; };

/* "+02:00", "-0700", "Z". */
static bool take_offset(struct sv *s, struct parsing *p)
{
	int hours, minutes = 0;

	if (sv_starts(*s, SV("Z"))) {
		*s = sv_drop(*s, 1);
		return true;
	}
	bool west = sv_starts(*s, SV("-"));
	if (!west && !sv_starts(*s, SV("+")))
		return false;
	*s = sv_drop(*s, 1);
	if (!take_int(s, 2, 2, &hours))
		return false;
	if (sv_starts(*s, SV(":")))
		*s = sv_drop(*s, 1);
	if (s->n && isdigit((unsigned char)*s->p) && !take_int(s, 2, 2, &minutes))
		return false;
	p->offset = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static bool take_part_of_time(struct sv *s, enum part part, struct parsing *p)
{
	struct tm *t = &p->t;
	int v = 0;
	bool ok;

	switch (part) {
	case PART_MONTH: return take_name(s, months, 12, 0, &t->tm_mon);
	case PART_MON:   return take_name(s, months, 12, 3, &t->tm_mon);
	case PART_WEEKDAY: return take_name(s, days, 7, 0, &v);
	case PART_DAY3:  return take_name(s, days, 7, 3, &v);
	case PART_M: case PART_0M:
		ok = take_int(s, part == PART_0M ? 2 : 1, 2, &v);
		t->tm_mon = v - 1;
		return ok && v >= 1 && v <= 12;
	case PART_SPACE_D:
		if (sv_starts(*s, SV(" ")))
			*s = sv_drop(*s, 1);
		/* as a day without padding */
		return take_int(s, 1, 2, &t->tm_mday);
	case PART_D: case PART_0D:
		return take_int(s, part == PART_0D ? 2 : 1, 2, &t->tm_mday) && t->tm_mday >= 1 && t->tm_mday <= 31;
	case PART_24H:   return take_int(s, 2, 2, &t->tm_hour) && t->tm_hour < 24;
	case PART_H: case PART_0H:
		p->hour12 = true;
		return take_int(s, 1, 2, &t->tm_hour) && t->tm_hour <= 12;
	case PART_MIN: case PART_0MIN: return take_int(s, 1, 2, &t->tm_min) && t->tm_min < 60;
	case PART_S: case PART_0S: return take_int(s, 1, 2, &t->tm_sec) && t->tm_sec < 60;
	case PART_YEAR:
		ok = take_int(s, 4, 4, &v);
		t->tm_year = v - 1900;
		return ok;
	case PART_YY:
		ok = take_int(s, 2, 2, &v);
		t->tm_year = v >= 69 ? v : v + 100;
		return ok;
	case PART_AM: case PART_am:
		if (s->n < 2 || toupper((unsigned char)s->p[1]) != 'M')
			return false;
		p->pm = toupper((unsigned char)*s->p) == 'P';
		*s = sv_drop(*s, 2);
		return true;
	case PART_ZONE:
		for (v = 0; s->n && isupper((unsigned char)*s->p); v++)
			*s = sv_drop(*s, 1);
		return v >= 3;
	case PART_ZULU: case PART_OFFSET: return take_offset(s, p);
	case PART_YEARDAY: return take_int(s, 3, 3, &v);
	case PART_TEXT: break;
	}
	return false;
}

bool go_time_parse(struct sv text, struct sv layout, int64_t *seconds)
{
	struct parsing p = { .t = { .tm_year = -1900, .tm_mday = 1 } };

	while (layout.n) {
		size_t n;
		enum part part = next_part(layout, &n);

		if (part != PART_TEXT) {
			if (!take_part_of_time(&text, part, &p))
				return false;
		} else if (!text.n || *text.p != *layout.p) {
			return false;
		} else {
			text = sv_drop(text, 1);
		}
		layout = sv_drop(layout, n);
	}
	if (text.n)
		return false;
	if (p.hour12)
		p.t.tm_hour = p.t.tm_hour % 12 + (p.pm ? 12 : 0);
	*seconds = (int64_t)timegm(&p.t) - p.offset;
	return true;
}
