#include "runtime/agent/log-lines.h"

#include "kube/object.h"

static bool is_too_old(const struct log_lines *l, struct sv time)
{
	char text[48];
	int64_t ms;

	if (!l->opts->since_ms || time.n >= sizeof text)
		return false;
	memcpy(text, time.p, time.n);
	text[time.n] = '\0';
	return time_parse(text, &ms) && ms < l->opts->since_ms;
}

static void show(struct log_lines *l, struct sv bytes, struct str *out)
{
	int64_t left = l->opts->limit_bytes ? l->opts->limit_bytes - l->sent : INT64_MAX;

	if ((int64_t)bytes.n >= left) {
		bytes.n = (size_t)left;
		l->full = l->opts->limit_bytes > 0;
	}
	str_add(out, bytes);
	l->sent += (int64_t)bytes.n;
}

static void take_line(struct log_lines *l, struct sv line, struct str *out)
{
	struct sv time, stream, tag, text;

	/* A line that was cut short by a crash is not shown. */
	if (!sv_cut(line, ' ', &time, &text) || !sv_cut(text, ' ', &stream, &text) || !sv_cut(text, ' ', &tag, &text))
		return;
	if (is_too_old(l, time))
		return;
	if (l->opts->timestamps && !l->inside) {
		show(l, time, out);
		show(l, SV(" "), out);
	}
	show(l, text, out);
	l->inside = sv_eq_c(tag, "P");
	if (!l->inside)
		show(l, SV("\n"), out);
}

size_t log_lines_take(struct log_lines *l, struct sv text, struct str *out)
{
	struct sv line, rest = text;
	size_t taken = 0;

	while (!l->full && sv_cut(rest, '\n', &line, &rest)) {
		take_line(l, line, out);
		taken += line.n + 1;
	}
	return taken;
}

size_t log_lines_tail(struct sv text, int64_t n, int64_t *missing)
{
	size_t at = text.n;

	*missing = n;
	while (*missing > 0 && at > 0) {
		at--;                                   /* the newline that ends this line */
		while (at > 0 && text.p[at - 1] != '\n')
			at--;
		--*missing;
	}
	return at;
}
