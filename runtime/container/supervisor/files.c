/* The clone's descriptors. */
#include "supervisor.h"
#include "sys.h"

#include <fcntl.h>

/* Above every number that layers, namespaces and pipes can have got (256 layers at most), below the usual limit. */
#define KEPT 500

/* Paths of images and pods are resolved later, and /proc/self/fd/N is such a path: no descriptor of the host's directories
 * (state, layers, control groups) may be open then, or mkdir and chdir could reach them. */
void init_files(struct context *c)
{
	int *const kept[] = { &c->failure_fd, &c->in, &c->out, &c->err };
	const int n = sizeof kept / sizeof *kept;

	for (int i = 0; i < n; i++)
		if (*kept[i] >= 0) {
			long r = sys(dup3, *kept[i], KEPT + i, O_CLOEXEC);

			if (r < 0)
				init_fail(c, STAGE_STDIO, (uint32_t)i, r);
			*kept[i] = KEPT + i;
		}
	sys(close_range, 3, KEPT - 1, 0);
	sys(close_range, KEPT + n, ~0u, 0);
}
