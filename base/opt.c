#include "base/opt.h"

#include <stdio.h>

#define COLUMN 30       /* where the help texts start */

static const struct opt *find_name(const struct opt *table, struct sv name)
{
	for (; table->name; table++)
		if (sv_eq_c(name, table->name))
			return table;
	return NULL;
}

static const struct opt *find_short(const struct opt *table, char c)
{
	for (; table->name; table++)
		if (table->short_name == c)
			return table;
	return NULL;
}

static int unknown(const struct opt *table, struct sv name, struct err *err)
{
	const char *best = NULL;
	size_t best_distance = name.n < 3 ? name.n : 3;         /* fewer edits than this */

	for (; table->name; table++) {
		size_t d = sv_distance(name, sv_c(table->name));

		if (d < best_distance) {
			best_distance = d;
			best = table->name;
		}
	}
	if (best)
		return err_set(err, ERR_BAD_REQUEST, "unknown option --" SV_FMT " (did you mean --%s?)", SV_ARG(name), best);
	return err_set(err, ERR_BAD_REQUEST, "unknown option --" SV_FMT, SV_ARG(name));
}

static bool is_choice(const char *choices, const char *value)
{
	struct sv rest = sv_c(choices), one;

	for (bool more = true; more;) {
		more = sv_cut(rest, '|', &one, &rest);
		if (sv_eq_c(one, value) || (sv_ends(one, SV("=")) && sv_starts(sv_c(value), one)))
			return true;
	}
	return false;
}

static int set_flag(const struct opt *o, const char *value, struct err *err)
{
	bool on = !value || str_eq(value, "true");

	if (!on && !str_eq(value, "false"))
		return err_set(err, ERR_BAD_REQUEST, "option --%s: want true or false, got '%s'", o->name, value);
	*(bool *)o->to = on;
	return 0;
}

static int set_value(const struct opt *o, const char *value, struct err *err)
{
	switch (o->type) {
	case OPT_FLAG:
		return set_flag(o, value, err);
	case OPT_STR:
		if (o->arg && strchr(o->arg, '|') && !is_choice(o->arg, value))
			return err_set(err, ERR_BAD_REQUEST, "option --%s: want one of %s, got '%s'", o->name, o->arg, value);
		*(const char **)o->to = value;
		return 0;
	case OPT_INT:
		if (!sv_to_i64(sv_c(value), o->to))
			return err_set(err, ERR_BAD_REQUEST, "option --%s: want a whole number, got '%s'", o->name, value);
		return 0;
	case OPT_DURATION:
		return err_wrap(err, duration_parse(value, o->to, err), "option --%s", o->name);
	case OPT_LIST:
		vec_push((struct opt_list *)o->to, value);
		return 0;
	}
	return 0;
}

struct parse { const struct opt *table; int argc, at; char **argv; struct err *err; };

static int next_value(struct parse *p, const struct opt *o, const char **value)
{
	if (p->at + 1 >= p->argc)
		return err_set(p->err, ERR_BAD_REQUEST, "option --%s needs a value%s%s", o->name, o->arg ? ": " : "",
			       o->arg ? o->arg : "");
	*value = p->argv[++p->at];
	return 0;
}

static int parse_long(struct parse *p, const char *text)
{
	struct sv name, rest;
	bool inline_value = sv_cut(sv_c(text), '=', &name, &rest);
	const struct opt *o = find_name(p->table, name);
	const char *value = inline_value ? rest.p : NULL;

	if (!o && sv_eq_c(name, "help"))
		return 1;
	if (!o)
		return unknown(p->table, name, p->err);
	if (!inline_value && o->type != OPT_FLAG)
		TRY(next_value(p, o, &value));
	return set_value(o, value, p->err);
}

/* "-f FILE", "-fFILE", "-f=FILE", and flags that stand together: "-it". */
static int parse_short(struct parse *p, const char *text)
{
	for (; *text; text++) {
		const struct opt *o = find_short(p->table, *text);
		const char *value = NULL;

		if (!o && *text == 'h')
			return 1;
		if (!o)
			return err_set(p->err, ERR_BAD_REQUEST, "unknown option -%c", *text);
		if (o->type == OPT_FLAG && text[1] != '=') {
			TRY(set_flag(o, NULL, p->err));
			continue;
		}
		if (text[1])
			value = text + 1 + (text[1] == '=');
		else
			TRY(next_value(p, o, &value));
		return set_value(o, value, p->err);
	}
	return 0;
}

int opt_parse(const struct opt *table, int argc, char **argv, struct opt_list *args, struct err *err)
{
	struct parse p = { table, argc, 1, argv, err };

	for (; p.at < argc; p.at++) {
		const char *a = argv[p.at];
		int r = 0;

		if (str_eq(a, "--")) {
			while (++p.at < argc)
				vec_push(args, argv[p.at]);
			break;
		}
		if (a[0] == '-' && a[1] == '-')
			r = parse_long(&p, a + 2);
		else if (a[0] == '-' && a[1])
			r = parse_short(&p, a + 1);
		else
			vec_push(args, a);
		if (r)
			return r;
	}
	return 0;
}

void opt_help(const struct opt *table, struct str *out)
{
	for (; table->name; table++) {
		size_t from = out->n;

		if (table->short_name)
			str_addf(out, "  -%c, --%s", table->short_name, table->name);
		else
			str_addf(out, "      --%s", table->name);
		if (table->arg)
			str_addf(out, " %s", table->arg);
		if (out->n - from > COLUMN - 2)
			str_addf(out, "\n%*s", COLUMN, "");
		else
			str_addf(out, "%*s", (int)(COLUMN - (out->n - from)), "");
		str_addf(out, "%s\n", table->help);
	}
}

/* ---- durations ---- */

static const struct { const char *name; double ns; } units[] = {
	{ "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 }, { "μs", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
};

static double unit_ns(struct sv name)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (sv_eq_c(name, units[i].name))
			return units[i].ns;
	return 0;
}

/* One "12.5h" off the front; false: there is none. */
static bool take_part(struct sv *s, double *ns)
{
	double number = 0, scale = 1;
	size_t i = 0, digits = 0;
	bool point = false;

	for (; i < s->n && ((s->p[i] >= '0' && s->p[i] <= '9') || (s->p[i] == '.' && !point)); i++) {
		if (s->p[i] == '.') {
			point = true;
			continue;
		}
		digits++;
		number = number * 10 + (s->p[i] - '0');
		scale *= point ? 10 : 1;
	}
	size_t end = i;
	while (end < s->n && s->p[end] != '.' && (s->p[end] < '0' || s->p[end] > '9'))
		end++;
	double unit = unit_ns((struct sv){ s->p + i, end - i });
	*s = sv_drop(*s, end);
	*ns += number / scale * unit;
	return digits && unit > 0;
}

int duration_parse(const char *text, int64_t *ms, struct err *err)
{
	struct sv s = sv_c(text);
	bool negative = sv_starts(s, SV("-"));
	double ns = 0;

	if (sv_eq_c(s, "0")) {
		*ms = 0;
		return 0;
	}
	if (negative || sv_starts(s, SV("+")))
		s = sv_drop(s, 1);
	bool good = s.n > 0;
	while (good && s.n)
		good = take_part(&s, &ns);
	if (!good || ns > 9.2e18)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not a duration (write 90s, 5m, 1h30m or 250ms)", text ? text : "");
	*ms = (int64_t)(ns / 1e6 + 0.5) * (negative ? -1 : 1);
	return 0;
}
