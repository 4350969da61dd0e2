/* Texts of outsiders that the agent reads: log files, $(NAME) references, signal names. Pieces give what the whole gives. */
#include "runtime/agent/env.h"
#include "runtime/agent/log-lines.h"
#include "runtime/agent/signal-name.h"

#include <stdlib.h>

static void read_log(struct sv in, const struct log_opts *o)
{
	struct log_lines whole = { .opts = o }, pieces = { .opts = o };
	AUTO(str) a = { 0 };
	AUTO(str) b = { 0 };
	struct sv rest = in;
	int64_t missing;
	size_t n;

	if (log_lines_take(&whole, in, &a) > in.n || (o->limit_bytes && (int64_t)a.n > o->limit_bytes))
		abort();
	do {            /* a line at a time */
		const char *end = memchr(rest.p, '\n', rest.n);

		n = end ? log_lines_take(&pieces, (struct sv){ rest.p, (size_t)(end - rest.p) + 1 }, &b) : 0;
		rest = sv_drop(rest, n);
	} while (n);
	if (!sv_eq(str_sv(&a), str_sv(&b)))
		abort();
	if (log_lines_tail(in, 2, &missing) > in.n || missing < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { size ? (const char *)data : "", size };
	char *text = sv_dup(in);
	struct env e = { 0 };
	AUTO(str) out = { 0 };
	int n = signal_number(text);

	if (n < 0 || n > 64)
		abort();
	env_put(&e, SV("A"), SV("value"));
	env_expand(&e, text, &out);
	read_log(in, &(struct log_opts){ .tail_lines = -1 });
	read_log(in, &(struct log_opts){ .tail_lines = -1, .timestamps = true, .since_ms = 1767323043000, .limit_bytes = 20 });
	env_free(&e);
	free(text);
	return 0;
}
