/* cli/completion.c - `cd completion`: scripts that ask the program itself (`cd __complete`), so that they never grow old. */
#include "cli/shell.h"

/* A line of an answer is a word, a tab, what it is; ":files" and ":dirs" ask the shell for names. */
static const char bash[] =
	"_timonier() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} line words\n"
	"	COMPREPLY=()\n"
	"	while IFS= read -r line; do\n"
	"		case $line in\n"
	"		:files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"		:dirs) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"		\"$cur\"*) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
	"		esac\n"
	"	done < <(@PROGRAM@ __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"_timonier_cd() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]}\n"
	"	case $COMP_CWORD,${COMP_WORDS[1]} in\n"
	"	1,*) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"; compgen -W '@VERBS@' -- \"$cur\") ;;\n"
	"	*) _timonier ;;\n"
	"	esac\n"
	"}\n"
	"complete -F _timonier timonier\n"
	"[ \"$(type -t cd)\" != function ] || complete -F _timonier_cd cd\n";

static const char zsh[] =
	"_timonier() {\n"
	"	local line word\n"
	"	local -a found\n"
	"	while IFS= read -r line; do\n"
	"		case $line in\n"
	"		:files) _files ;;\n"
	"		:dirs) _files -/ ;;\n"
	"		*) word=${line%%$'\\t'*}; found+=(\"${word//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"		esac\n"
	"	done < <(@PROGRAM@ __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
	"	(( ! $#found )) || _describe -t commands command found\n"
	"}\n"
	"_timonier_cd() {\n"
	"	if (( CURRENT == 2 )); then\n"
	"		_cd\n"
	"		compadd -- @VERBS@\n"
	"	elif [[ \" @VERBS@ \" == *\" $words[2] \"* ]]; then\n"
	"		_timonier\n"
	"	else\n"
	"		_cd\n"
	"	fi\n"
	"}\n"
	"compdef _timonier timonier\n"
	"(( ! $+functions[cd] )) || compdef _timonier_cd cd\n";

static const char fish[] =
	"function __timonier\n"
	"	set -l words (commandline -opc) (commandline -ct)\n"
	"	for line in (@PROGRAM@ __complete $words[2..] 2>/dev/null)\n"
	"		switch $line\n"
	"		case ':files'\n"
	"			__fish_complete_path (commandline -ct)\n"
	"		case ':dirs'\n"
	"			__fish_complete_directories (commandline -ct)\n"
	"		case '*'\n"
	"			echo $line\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c timonier -f -a '(__timonier)'\n";

static const struct { const char *name, *script; } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

static const struct usage usage = {
	"completion", "SHELL",
	"Prints a script that completes commands, options and their values, for bash, zsh or fish.",
	"  eval \"$(timonier completion bash)\"     # in ~/.bashrc, after shell-init\n"
	"  eval \"$(timonier completion zsh)\"      # in ~/.zshrc, after compinit and shell-init\n"
	"  timonier completion fish > ~/.config/fish/completions/timonier.fish"
};

int cmd_completion(int argc, char **argv)
{
	struct opt_list args = { 0 };
	AUTO(str) out = { 0 };
	int r = cli_options(&usage, NULL, argc, argv, &args);

	for (size_t i = 0; r < 0 && args.n == 1 && i < sizeof shells / sizeof *shells; i++)
		if (str_eq(args.v[0], shells[i].name)) {
			shell_fill(shells[i].script, " ", &out);
			fputs(str_c(&out), stdout);
			r = EXIT_OK;
		}
	if (r < 0)
		r = cli_usage_error(&usage, "for which shell? bash, zsh or fish");
	vec_free(&args);
	return r;
}
