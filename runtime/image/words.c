#include "runtime/image/words.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdlib.h>

static const char *env_at(const char *entry, struct sv name)
{
	return !strncmp(entry, name.p, name.n) && entry[name.n] == '=' ? entry + name.n + 1 : NULL;
}

const char *env_find(const struct strings *env, struct sv name)
{
	for (size_t i = env ? env->n : 0; i-- > 0;)
		if (env_at(env->v[i], name))
			return env_at(env->v[i], name);
	return NULL;
}

void words_set(struct strings *env, struct sv name, const char *value)
{
	char *entry = str_fmt(SV_FMT "=%s", SV_ARG(name), value);

	for (size_t i = 0; i < env->n; i++)
		if (env_at(env->v[i], name)) {
			free(env->v[i]);
			env->v[i] = entry;
			return;
		}
	vec_push(env, entry);
}

static const char *look_up(const struct scope *s, struct sv name)
{
	const char *value = env_find(s->env, name);

	return value ? value : env_find(s->args, name);
}

static size_t name_length(struct sv s)
{
	size_t n = 0;

	while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_'))
		n++;
	return n && isdigit((unsigned char)s.p[0]) ? 1 : n;
}

/* The end of ${...}, over nested ones. */
static bool find_close(struct sv s, size_t *end)
{
	int depth = 1;

	for (size_t i = 0; i < s.n; i++) {
		depth += s.p[i] == '{';
		depth -= s.p[i] == '}';
		if (!depth) {
			*end = i;
			return true;
		}
	}
	return false;
}

static int expand(const struct scope *s, struct sv text, char escape, int depth, struct str *out, struct err *err);

/* text is after "${"; *used: how much of it, with the brace. */
static int expand_braced(const struct scope *s, struct sv text, char escape, int depth, size_t *used, struct str *out,
			 struct err *err)
{
	size_t end, n = name_length(text);

	if (!find_close(text, &end) || !n || n > end)
		return err_set(err, ERR_INVALID, "\"${" SV_FMT "\": not a variable", (int)(text.n < 40 ? text.n : 40),
			       text.p);
	const char *value = look_up(s, (struct sv){ text.p, n });
	struct sv op = { text.p + n, end - n };
	bool set = value && *value;

	*used = end + 1;
	if (!op.n) {
		str_addc(out, value);
		return 0;
	}
	if (op.n < 2 || op.p[0] != ':' || (op.p[1] != '-' && op.p[1] != '+' && op.p[1] != '?'))
		return err_set(err, ERR_INVALID, "\"${" SV_FMT "}\": want ${NAME}, ${NAME:-default} or ${NAME:+other}",
			       (int)end, text.p);
	if (op.p[1] == '?' && !set)
		return err_set(err, ERR_INVALID, SV_FMT ": " SV_FMT, (int)n, text.p, (int)(op.n - 2), op.p + 2);
	if (op.p[1] == '+' ? set : !set)
		return expand(s, sv_drop(op, 2), escape, depth + 1, out, err);
	str_addc(out, op.p[1] == '+' ? "" : value);
	return 0;
}

static int expand(const struct scope *s, struct sv text, char escape, int depth, struct str *out, struct err *err)
{
	bool single = false, dquote = false;

	if (depth > 16)
		return err_set(err, ERR_INVALID, "variables are nested too deep");
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		struct sv after = sv_drop(text, i + 1);
		size_t used = 0;

		single ^= c == '\'' && !dquote && !s->plain;
		dquote ^= c == '"' && !single && !s->plain;
		if (c == escape && after.n && !single) {
			if (after.p[0] != '$')
				str_add1(out, c);
			str_add1(out, after.p[0]);
			i++;
		} else if (c != '$' || single || !after.n) {
			str_add1(out, c);
		} else if (after.p[0] == '{') {
			TRY(expand_braced(s, sv_drop(after, 1), escape, depth, &used, out, err));
			i += 1 + used;
		} else if ((used = name_length(after))) {
			str_addc(out, look_up(s, (struct sv){ after.p, used }));
			i += used;
		} else {
			str_add1(out, c);
		}
	}
	return 0;
}

int words_expand(const struct scope *s, struct sv text, char escape, struct str *out, struct err *err)
{
	return expand(s, text, escape, 0, out, err);
}

int words_split(struct sv text, char escape, struct strings *out, struct err *err)
{
	AUTO(str) word = { 0 };
	bool open = false;              /* a word has begun, maybe an empty one */
	char quote = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!quote && isspace((unsigned char)c)) {
			if (open)
				vec_push(out, str_take(&word));
			open = false;
			continue;
		}
		open = true;
		if (c == escape && quote != '\'' && i + 1 < text.n)
			str_add1(&word, text.p[++i]);
		else if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		else
			str_add1(&word, c);
	}
	if (quote)
		return err_set(err, ERR_INVALID, "a %c that is not closed", quote);
	if (open)
		vec_push(out, str_take(&word));
	return 0;
}
