/* cli/exec.c - `cd exec` and `cd attach`. */
#include "cli/pod.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "kube/client-stream.h"

#include <stdio.h>
#include <unistd.h>

struct exec {
	struct cluster_opts where;
	struct opt_list args;
	const char *container;
	bool in, tty, attach;
};

/* `TYPE/NAME` or `POD`; what follows is the command. */
static int run(struct cluster *c, void *arg, struct err *err)
{
	struct exec *x = arg;
	struct standard in, out, errors;
	struct terminal_size size;
	AUTO_OBJECT pod = NULL;

	TRY(pod_named(c, x->args.v, 1, &pod, err));
	if (!x->attach)
		vec_push(&x->args, NULL);
	standard_init(&in, STDIN_FILENO);
	standard_init(&out, STDOUT_FILENO);
	standard_init(&errors, STDERR_FILENO);
	bool terminal = x->tty && x->in && terminal_raw();
	if (x->tty && x->in && !terminal)
		fprintf(stderr, "The input is no terminal: -t gives the program one all the same.\n");
	terminal_size_init(&size);
	const struct program p = {
		.ns = pod->ns, .pod = pod->name, .container = pod_pick_container(pod, x->container), .tty = x->tty,
		.argv = x->attach ? NULL : (const char *const *)x->args.v + 1,
		.in = x->in ? &in.base : NULL, .out = &out.base, .err = x->tty ? NULL : &errors.base,
		.size = terminal ? &size.base : NULL,
	};
	int r = client_run(c->client, &p, err);
	terminal_restore();
	terminal_size_free(&size);
	return r;
}

static int command(const struct usage *u, struct exec *x, int argc, char **argv)
{
	const struct opt opts[] = {
		{ "container", 'c', OPT_STR, &x->container, "NAME", "which container" },
		{ "stdin", 'i', OPT_FLAG, &x->in, NULL, "pass the input on" },
		{ "tty", 't', OPT_FLAG, &x->tty, NULL, x->attach ? "the container has a terminal" : "give the program a terminal" },
		CLUSTER_OPTIONS(x->where),
		{ 0 }
	};
	int r = cli_options(u, opts, argc, argv, &x->args);

	if (r < 0 && x->args.n < (x->attach ? 1 : 2))
		r = cli_usage_error(u, x->attach ? "name a pod" : "name a pod, and after `--` what to run");
	if (r < 0 && x->attach && x->args.n > 1)
		r = cli_usage_error(u, "one pod at a time");
	if (r < 0)
		r = cluster_run(u->name, &x->where, run, x);
	vec_free(&x->args);
	return r;
}

int cmd_exec(int argc, char **argv)
{
	static const struct usage usage = {
		"exec", "POD | TYPE/NAME [OPTIONS] -- COMMAND [ARGUMENT...]",
		"Runs a program in a container, with its user, rights and environment. The exit code is the program's.",
		"  cd exec web-5d8f-x2k4z -- ls /srv\n"
		"  cd exec deployment/web -it -- sh\n"
		"  cd exec db-0 -i -- tar xf - -C /data <backup.tar",
	};
	struct exec x = { 0 };

	return command(&usage, &x, argc, argv);
}

int cmd_attach(int argc, char **argv)
{
	static const struct usage usage = {
		"attach", "POD | TYPE/NAME [OPTIONS]",
		"Joins the input and output of what runs in a container, from now on. With -i the container needs `stdin: true`.",
		"  cd attach web-5d8f-x2k4z\n"
		"  cd attach shell -it",
	};
	struct exec x = { .attach = true };

	return command(&usage, &x, argc, argv);
}
