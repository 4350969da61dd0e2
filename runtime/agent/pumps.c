#include "runtime/agent/pumps.h"

#include <errno.h>
#include <poll.h>
#include "base/json.h"

#define PIECE ((size_t)16 << 10)
#define SIZE_MAX_TEXT 4096              /* of one size: anything longer is none */

void in_pump_run(void *arg)
{
	struct in_pump *p = arg;
	char buf[PIECE];

	if (duplex_copy(p->to, p->from, NULL) < 0)
		while (duplex_read(p->from, buf, sizeof buf, NULL) > 0)
			;
	else if (p->end)
		duplex_end(p->to);
}

/* ---- out ---- */

static void on_ready(void *arg, short events)
{
	struct out_pump *p = arg;

	(void)events;
	p->ready = true;
	fiber_wake(p->fiber);
}

static int await_output(struct out_pump *p)
{
	struct poller *poll = poller_start(fiber_loop(), p->fd, POLLIN, on_ready, p);
	int r = 0;

	for (p->ready = false; !p->ready && !*p->over && !r;)
		r = fiber_park();
	poller_stop(&poll);
	return r;
}

/* A client who takes no more does not stop the program: the rest is dropped. */
void out_pump_run(void *arg)
{
	struct out_pump *p = arg;
	char buf[PIECE];
	ssize_t n;
	int r = 0;

	p->fiber = fiber_self();
	while (!r) {
		bool over = *p->over;

		n = read(p->fd, buf, sizeof buf);
		if (n > 0 && p->to && duplex_write(p->to, (struct sv){ buf, (size_t)n }, NULL) < 0)
			p->to = NULL;
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n == 0 || errno != EAGAIN || over)
			break;          /* the end, or a terminal's hang-up */
		r = await_output(p);
	}
	p->fiber = NULL;
}

/* ---- sizes ---- */

static uint16_t dimension(const struct node *root, const char *name)
{
	int64_t n = node_int_at(root, name, 0);

	return n > 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

static void tell_size(const struct size_pump *p, struct sv text)
{
	AUTO_DOC d = NULL;

	if (json_read(text, "size", 0, &d, NULL) < 0)
		return;
	uint16_t rows = dimension(doc_root(d), "Height"), columns = dimension(doc_root(d), "Width");
	if (rows && columns)
		p->set(p->arg, rows, columns);
}

void size_pump_run(void *arg)
{
	struct size_pump *p = arg;
	AUTO(str) text = { 0 };
	char buf[512];
	int n;

	while ((n = duplex_read(p->from, buf, sizeof buf, NULL)) > 0)
		for (int i = 0; i < n; i++) {
			if (text.n < SIZE_MAX_TEXT)
				str_add1(&text, buf[i]);
			if (buf[i] != '}')
				continue;
			tell_size(p, str_sv(&text));
			str_cut(&text, 0);
		}
}
