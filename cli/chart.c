/* cli/chart.c - `cd chart`: making, checking and sharing charts. */
#include "cli/chart.h"

static const struct usage usage = {
	"chart", "COMMAND [OPTIONS] ...",
	"Makes, checks and shares charts: Lua charts and Helm's. `cd chart COMMAND --help` says more; `cd render CHART` renders one.",
	"  cd chart create web\n  cd chart lint web\n  cd chart package web\n  cd chart push web-0.1.0.tgz oci://registry.example.com/charts",
};

static const struct verb commands[] = {
	{ "convert", NULL, "write a first Lua version of a Helm chart", chart_convert },
	{ "create", NULL, "make a new chart", chart_create },
	{ "dependency", NULL, "list, update and build the dependencies of a chart", chart_dependency },
	{ "lint", NULL, "tell what is wrong with charts", chart_lint },
	{ "package", NULL, "make packages (.tgz) of charts", chart_make_package },
	{ "pull", NULL, "fetch a chart from a repository or registry", chart_pull },
	{ "push", NULL, "send a package to a registry", chart_push },
	{ "repo", NULL, "make the index of a chart repository", chart_repo },
	{ "show", NULL, "print what a chart says of itself", chart_show },
	{ 0 }
};

int cmd_chart(int argc, char **argv) { return cli_group(&usage, commands, argc, argv); }
