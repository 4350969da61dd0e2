#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level least_level = LOG_INFO;
static const char *const names[] = { "debug", "info", "warn", "error" };

void log_set_level(enum log_level least) { least_level = least; }

int log_level_parse(const char *name)
{
	for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
		if (str_eq(name, names[i]))
			return i;
	return -1;
}

static void add_json_string(struct str *out, const char *s)
{
	str_add1(out, '"');
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c < 0x20)
			str_addf(out, "\\u%04x", c);
		else
			str_add1(out, (char)c);
	}
	str_add1(out, '"');
}

void log_event(enum log_level level, const char *msg, ...)
{
	struct str line = { 0 };
	va_list ap;

	if (level < least_level)
		return;
	str_addc(&line, "{\"time\":\"");
	clock_text(&line, 3);
	str_addf(&line, "\",\"level\":\"%s\",\"msg\":", names[level]);
	add_json_string(&line, msg);
	va_start(ap, msg);
	for (const char *key; (key = va_arg(ap, const char *));) {
		str_add1(&line, ',');
		add_json_string(&line, key);
		str_add1(&line, ':');
		add_json_string(&line, va_arg(ap, const char *));
	}
	va_end(ap);
	str_addc(&line, "}\n");
	fwrite(line.p, 1, line.n, stderr);      /* one write: stderr is unbuffered, lines of several threads do not mix */
	str_free(&line);
}
