/* The daemon's side of attaching: the socket in the state directory. */
#include "runtime/container/container-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WAITING 8

/* Through the directory's descriptor: a socket's path is short, a data directory's may be long. */
static void address(int dir, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/attach", dir);
}

int attach_listen(int dir, struct err *err)
{
	AUTO_FD fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;

	address(dir, &name);
	(void)unlinkat(dir, "attach", 0);
	if (fd < 0 || bind(fd, (void *)&name, sizeof name) || listen(fd, WAITING))
		return err_errno(err, "make the socket for those who attach");
	int taken = fd;
	fd = -1;
	return taken;
}

int container_attach(struct container *c, int *out, struct err *err)
{
	AUTO_FD dir = open(str_c(&c->dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;

	if (dir < 0 || fd < 0)
		return err_errno(err, "attach to '%s'", str_c(&c->dir));
	address(dir, &name);
	if (connect(fd, (void *)&name, sizeof name))
		return err_errno(err, "attach to '%s'", str_c(&c->dir));
	*out = fd;
	fd = -1;
	return 0;
}
