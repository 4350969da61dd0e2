/* A client's connection to a port inside a pod: made in the pod's network namespace, to its loopback address. */
#include "runtime/agent/agent-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include "runtime/agent/pumps.h"

#define CONNECT_MS 10000

struct opening { int netns, family, result; struct err err; };

static int open_socket(void *arg, struct err *err)
{
	const struct opening *o = arg;
	int fd = socket(o->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_errno(err, "open a socket") : fd;
}

static void open_job(void *arg)
{
	struct opening *o = arg;

	o->result = o->netns < 0 ? open_socket(o, &o->err) : network_inside(o->netns, open_socket, o, &o->err);
}

static int dial(int netns, int family, const struct sockaddr *to, socklen_t n, struct err *err)
{
	struct opening o = { .netns = netns, .family = family };

	fiber_job(open_job, &o);
	if (o.result < 0)
		return err_move(err, &o.err);
	int number = connect(o.result, to, n) ? errno : 0;
	if (number == EINPROGRESS)
		number = await_connect(o.result, CONNECT_MS);
	if (!number)
		return o.result;
	fd_close(&o.result);
	errno = number;
	return err_errno(err, "connect to port %u inside the pod", ntohs(((const struct sockaddr_in *)(const void *)to)->sin_port));
}

/* IPv4 first: of two errors, the first one is told. */
static int dial_pod(int netns, uint16_t port, struct err *err)
{
	const struct sockaddr_in four = { AF_INET, htons(port), { htonl(INADDR_LOOPBACK) } };
	const struct sockaddr_in6 six = { AF_INET6, htons(port), 0, IN6ADDR_LOOPBACK_INIT, 0 };
	int fd = dial(netns, AF_INET, (const void *)&four, sizeof four, err);

	if (fd < 0 && !fiber_canceled()) {
		int other = dial(netns, AF_INET6, (const void *)&six, sizeof six, NULL);

		if (other >= 0 && err)
			err_free(err);
		fd = other >= 0 ? other : fd;
	}
	return fd;
}

int node_forward(struct worker *w, uint16_t port, struct duplex *client, struct err *err)
{
	struct fiber_group inputs;
	struct duplex_fd pod;
	int netns = w->has_sandbox && w->sandbox.net >= 0 ? fcntl(w->sandbox.net, F_DUPFD_CLOEXEC, 3) : -1;  /* the pod may go meanwhile */

	if (!w->has_sandbox)
		return err_set(err, ERR_BAD_REQUEST, "pod \"%s\" is not running", w->name);
	int fd = dial_pod(netns, port, err);
	fd_close(&netns);
	TRY(fd);
	TRY(duplex_fd_socket(&pod, fd, err));
	struct in_pump in = { client, &pod.base, true };
	fiber_group_init(&inputs, fiber_loop());
	fiber_group_start(&inputs, "forward", in_pump_run, &in);
	int r = duplex_copy(client, &pod.base, err);
	duplex_end(client);
	if (r < 0 || fiber_canceled())
		fiber_group_cancel(&inputs);
	fiber_group_join(&inputs);
	duplex_fd_free(&pod);
	return r;
}
