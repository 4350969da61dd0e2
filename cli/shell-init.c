/* cli/shell-init.c - `cd shell-init`: the function that tells `cd render DIR` from `cd DIR`. docs/guide/shell.md has the rule. */
#include "cli/shell.h"

/* The first word is a command, and more words follow, or there is no directory of that name: the program. Everything else
 * is the shell's, or whatever was called `cd` before. */
#define RULE \
	"	case ${1-} in\n" \
	"	@VERBS@)\n" \
	"		if [ $# -gt 1 ] || ! __timonier_is_directory \"$1\"; then\n" \
	"			@PROGRAM@ \"$@\"\n" \
	"			return\n" \
	"		fi ;;\n" \
	"	esac\n"

static const char bash[] =
	"if [ \"$(type -t cd)\" = function ] && [[ \"$(declare -f cd)\" != *__timonier_is_directory* ]]; then\n"
	"	eval \"__timonier_previous_$(declare -f cd)\"\n"
	"fi\n"
	"function __timonier_is_directory {\n"
	"	local dir name=$1 IFS=:\n"
	"	[ ! -d \"$name\" ] || return 0\n"
	"	set -f -- ${CDPATH-}\n"
	"	set +f\n"
	"	for dir; do\n"
	"		[ ! -d \"${dir:-.}/$name\" ] || return 0\n"
	"	done\n"
	"	shopt -q cdable_vars && [[ $name != *[!A-Za-z0-9_]* && -d ${!name-} ]]\n"
	"}\n"
	"function cd {\n"
	RULE
	"	if [ \"$(type -t __timonier_previous_cd)\" = function ]; then\n"
	"		__timonier_previous_cd \"$@\"\n"
	"	else\n"
	"		builtin cd \"$@\"\n"
	"	fi\n"
	"}\n";

static const char zsh[] =
	"if (( $+functions[cd] )) && [[ $functions[cd] != *__timonier_is_directory* ]]; then\n"
	"	functions[__timonier_previous_cd]=$functions[cd]\n"
	"fi\n"
	"function __timonier_is_directory {\n"
	"	local dir\n"
	"	[[ ! -d $1 ]] || return 0\n"
	"	for dir in \"${cdpath[@]}\"; do\n"
	"		[[ ! -d ${dir:-.}/$1 ]] || return 0\n"
	"	done\n"
	"	[[ -o cdablevars && $1 != *[^A-Za-z0-9_]* && -d ${(P)1-} ]]\n"
	"}\n"
	"function cd {\n"
	RULE
	"	if (( $+functions[__timonier_previous_cd] )); then\n"
	"		__timonier_previous_cd \"$@\"\n"
	"	else\n"
	"		builtin cd \"$@\"\n"
	"	fi\n"
	"}\n";

static const struct { const char *name, *script; } shells[] = { { "bash", bash }, { "zsh", zsh } };

/* Of the shell that asks: its name is the end of $SHELL, unless it says so itself. */
static const char *script_of(const char *name)
{
	struct sv dir, base;

	if (!sv_cut_last(sv_c(name), '/', &dir, &base))
		base = sv_c(name);
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (sv_eq_c(base, shells[i].name))
			return shells[i].script;
	return NULL;
}

/* Without a name, both, each for the shell that evaluates it. */
static void print_both(struct str *out)
{
	str_addc(out, "if [ -n \"${ZSH_VERSION-}\" ]; then\neval \"$(");
	shell_program(out);
	str_addc(out, " shell-init zsh)\"\nelif [ -n \"${BASH_VERSION-}\" ]; then\neval \"$(");
	shell_program(out);
	str_addc(out, " shell-init bash)\"\nfi\n");
}

static const struct usage usage = {
	"shell-init", "[SHELL]",
	"Prints a function for bash or zsh after which `cd render overlays/prod` runs this program, while `cd some/directory`,\n"
	"`cd -`, `cd` and a directory that is called like a command go on working. Without SHELL, for the one that evaluates it.",
	"  eval \"$(timonier shell-init)\"          # in ~/.bashrc or ~/.zshrc"
};

int cmd_shell_init(int argc, char **argv)
{
	struct opt_list args = { 0 };
	AUTO(str) out = { 0 };
	int r = cli_options(&usage, NULL, argc, argv, &args);

	if (r < 0 && args.n > 1)
		r = cli_usage_error(&usage, "one shell at a time");
	if (r < 0 && args.n && !script_of(args.v[0]))
		r = cli_usage_error(&usage, "'%s' is not bash or zsh", args.v[0]);
	if (r < 0) {
		if (args.n)
			shell_fill(script_of(args.v[0]), "|", &out);
		else
			print_both(&out);
		fputs(str_c(&out), stdout);
		r = EXIT_OK;
	}
	vec_free(&args);
	return r;
}
