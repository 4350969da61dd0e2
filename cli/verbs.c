#include "cli/verbs.h"
#include "base/str.h"

const struct verb verbs[] = {
	{ "app",        "delivery",  "applications: create, show, sync, roll back, wait, delete", cmd_app },
	{ "rollout",    "delivery",  "canary and blue-green updates: show, promote, abort, retry, undo", cmd_rollout },
	{ "preview",    "delivery",  "previews, one a branch: list them with their addresses, delete", cmd_preview },
	{ "render",     "delivery",  "render a kustomization, a chart or manifests; explain and compare them", cmd_render },
	{ "chart",      "delivery",  "charts: create, lint, package, dependencies, pull, push, show, convert", cmd_chart },
	{ "diff",       "delivery",  "would a sync change the live object of a manifest?", cmd_diff },
	{ "health",     "delivery",  "how well is the object in a file?", cmd_health },
	{ "get",        "resources", "show resources as a table, or whole", cmd_get },
	{ "describe",   "resources", "tell everything about a resource, and its events", cmd_describe },
	{ "logs",       "resources", "print what a container wrote", cmd_logs },
	{ "exec",       "resources", "run a program in a container", cmd_exec },
	{ "attach",     "resources", "join the input and output of a container", cmd_attach },
	{ "port-forward", "resources", "reach ports of a pod from here", cmd_port_forward },
	{ "apply",      "resources", "make the cluster have what files say", cmd_apply },
	{ "create",     "resources", "create resources from files, or small ones from options", cmd_create },
	{ "delete",     "resources", "delete resources", cmd_delete },
	{ "patch",      "resources", "change fields of a resource", cmd_patch },
	{ "scale",      "resources", "set how many replicas there should be", cmd_scale },
	{ "label",      "resources", "set or remove labels", cmd_label },
	{ "annotate",   "resources", "set or remove annotations", cmd_annotate },
	{ "wait",       "resources", "return when something has come true", cmd_wait },
	{ "explain",    "resources", "tell which fields a resource has", cmd_explain },
	{ "api-resources", "resources", "list the types of resources", cmd_api_resources },
	{ "serve",      "server",    "run API, controllers, operator and this machine's node in one process", cmd_serve },
	{ "image",      "server",    "build, import, pull, list and remove images", cmd_image },
	{ "kubeconfig", "server",    "print how to reach a server of this machine", cmd_kubeconfig },
	{ "backup",     "server",    "write a server's objects and keys to a file, also while it runs; check one", cmd_backup },
	{ "restore",    "server",    "make a data directory's store and keys from a backup", cmd_restore },
	{ "reset",      "server",    "stop the containers of a data directory and remove what it made in the kernel", cmd_reset },
	{ "shell-init", "shell",     "the shell function that makes `cd render DIR` run this program", cmd_shell_init },
	{ "completion", "shell",     "completion for bash, zsh and fish", cmd_completion },
	{ "help",       "other",     "tell about commands", cmd_help },
	{ "version",    "other",     "show the version", cmd_version },
	{ 0 }
};

const struct verb *verb_find(const struct verb *table, const char *name)
{
	for (; table->name; table++)
		if (str_eq(table->name, name))
			return table;
	return NULL;
}

const char *verb_nearest(const struct verb *table, const char *name)
{
	size_t n = strlen(name), best = n < 3 ? n : 3;          /* fewer edits than this */
	const char *nearest = NULL;

	for (; table->name; table++) {
		size_t d = sv_distance(sv_c(name), sv_c(table->name));

		if (d < best) {
			best = d;
			nearest = table->name;
		}
	}
	return nearest;
}
