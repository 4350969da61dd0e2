/* cli/reset.c - `cd reset`: ends what a data directory runs. */
#include "base/fiber.h"
#include "base/fs.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"
#include "runtime/agent/agent.h"

#include <stdio.h>

static const struct usage usage = {
	"reset", "[OPTIONS]",
	"Ends every container of a data directory and removes its mounts, cgroups, bridge and packet filter table.\n"
	"The server must not run. Objects, images and repositories stay, and the next `cd serve` starts the containers\n"
	"again; --data removes those, too.",
	"  cd reset --data-dir .cd-data"
};

struct reset { const char *dir; bool data; struct err err; };

static int reset(void *arg)
{
	struct reset *r = arg;
	AUTO(str) instance = { 0 };
	AUTO(str) node = { 0 };
	AUTO(str) dir = { 0 };
	AUTO_FD lock = -1;

	if (!path_exists(r->dir))
		return 0;
	TRY(data_dir_make(r->dir, &dir, &r->err));
	TRY(data_dir_lock(str_c(&dir), &lock, &r->err));
	TRY(data_dir_instance(str_c(&dir), &instance, &r->err));
	str_addf(&node, "%s/node", str_c(&dir));
	TRY(agent_destroy(str_c(&node), str_c(&instance), &r->err));
	return r->data ? tree_remove(r->dir, &r->err) : 0;
}

int cmd_reset(int argc, char **argv)
{
	struct reset r = { .dir = DATA_DIR_DEFAULT };
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		{ "data-dir", 0, OPT_STR, &r.dir, "DIR", "the directory that `cd serve` was given" },
		{ "data", 0, OPT_FLAG, &r.data, NULL, "remove the directory with everything in it, too" },
		{ 0 }
	};
	int code = cli_options(&usage, opts, argc, argv, &args);
	size_t extra = args.n;

	vec_free(&args);
	if (code >= 0)
		return code;
	if (extra)
		return cli_usage_error(&usage, "takes no arguments");
	return fiber_main(reset, &r) < 0 ? cli_fail("reset", &r.err) : EXIT_OK;
}
