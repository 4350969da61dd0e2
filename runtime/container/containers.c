/* What all containers of a process share. */
#include "base/fs.h"
#include "runtime/container/container-internal.h"

#include <stdlib.h>

#define MOUNTINFO_MAX (4u << 20)

static int open_parts(struct containers *cs, struct err *err)
{
	AUTO(str) mounts = { 0 };

	TRY(file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, err));
	TRY(cgroups_read(&cs->cgroups, str_sv(&mounts), err));
	cs->program = program_open(err);
	return cs->program;
}

struct containers *containers_open(struct loop *l, struct err *err)
{
	struct containers *cs = calloc(1, sizeof *cs);

	if (!cs)
		abort();
	cs->loop = l;
	cs->program = -1;
	if (open_parts(cs, err) < 0)
		containers_close(&cs);
	return cs;
}

void containers_close(struct containers **csp)
{
	struct containers *cs = TAKE(*csp);
	struct map_slot *s;

	if (!cs)
		return;
	map_each(s, &cs->filters) {
		str_free(s->value);
		free(s->value);
	}
	map_free(&cs->filters);
	cgroups_free(&cs->cgroups);
	fd_close(&cs->program);
	free(cs);
}
