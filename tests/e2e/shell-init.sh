#!/usr/bin/env bash
# The shell function, in real shells: `cd` goes on working, and `cd render DIR` runs the program.
set -euo pipefail
cd_bin=${CD_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin/cd}
[ -x "$cd_bin" ] || { echo "no program at $cd_bin: build first" >&2; exit 1; }
work=$(mktemp -d /tmp/cd-shell.XXXXXX)
trap 'rm -rf "$work"' EXIT
work=$(cd "$work" && pwd -P)
mkdir -p "$work/home" "$work/a/b" "$work/with space" "$work/has/version" "$work/path/get" "$work/path/there" "$work/old/x" "$work/new/x"
failed=0 shell=

# check NAME WANTED: runs the script on stdin in $shell, below $work/a, with the function defined
check() {
	local got
	got=$(cd "$work/a" && env -i HOME="$work/home" PATH="$PATH" CD_BIN="$cd_bin" W="$work" TERM=dumb "$shell" ${flags[@]+"${flags[@]}"} -c '
		eval "$("$CD_BIN" shell-init)"
		'"$(cat)" 2>&1) || true
	got=${got//$work/W}
	if [ "$got" = "$2" ]; then
		echo "ok   $shell: $1"
	else
		printf 'FAIL %s: %s\n  want [%s]\n  got  [%s]\n' "$shell" "$1" "$2" "$got"
		failed=1
	fi
}

for shell in bash zsh; do
	command -v $shell >/dev/null || { echo "skip $shell: not installed"; continue; }
	flags=()
	[ $shell = bash ] && flags=(--norc --noprofile) || flags=(-f)

	check 'a directory' 'W/a/b' <<<'cd b; pwd'
	check 'an absolute one' 'W/path' <<<'cd $W/path; pwd'
	check 'with a space in its name' 'W/with space' <<<'cd "$W/with space"; pwd'
	check 'no argument goes home' 'W/home' <<<'cd; pwd'
	check 'a dash goes back' 'W/a' <<<'cd b; cd - >/dev/null; pwd'
	check 'two dashes' 'W/a/b' <<<'cd -- b; pwd'
	check 'an option of the shell' 'W/a/b' <<<'cd -P b; pwd'
	check 'two dots' 'W' <<<'cd ..; pwd'
	check 'an empty argument is the shell'"'"'s' 'W/a' <<<'cd ""; pwd'
	check 'OLDPWD and PWD are set' 'W/a W/a/b' <<<'cd b; echo $OLDPWD $PWD'
	check 'a directory that does not exist fails' '1' <<<'cd nowhere 2>/dev/null; echo $?'
	check 'in a condition' 'no' <<<'if cd nowhere 2>/dev/null; then echo yes; else echo no; fi'
	check 'in a subshell' $'W/a/b\nW/a' <<<'(cd b; pwd); pwd'
	check 'with nounset and errexit' 'W/a/b' <<<'set -eu; cd b; pwd'
	check 'with CDPATH' 'W/path/there' <<<'CDPATH=:$W/path; cd there >/dev/null; pwd'

	check 'a command runs the program' 'timonier' <<<'cd version | cut -d" " -f1'
	check 'a command with arguments runs it' 'usage: cd get' <<<'cd get --help | head -n 1 | cut -c1-13'
	check 'and stays where it was' 'W/a' <<<'cd version >/dev/null; pwd'
	check 'its exit code is passed on' '2' <<<'cd get --nonsense x 2>/dev/null; echo $?'
	check 'its arguments arrive whole' "cd get: unknown option --a b" <<<'cd get "--a b" x 2>&1 | head -n 1'
	check 'its output can be piped, its input too' 'yes' <<<'echo x | cd help | grep -q COMMAND && echo yes'
	check 'a directory called like a command wins when alone' 'W/has/version' <<<'cd $W/has; cd version; pwd'
	check 'but not when words follow' 'version: timonier' <<<'cd $W/has; cd version -o json | sed -n "s/.*\"version\".*/version: timonier/p"'
	check 'with a slash it is a directory' 'W/has/version' <<<'cd $W/has; cd ./version; pwd'
	check 'found by CDPATH it wins, too' 'W/path/get' <<<'CDPATH=$W/path; cd get >/dev/null; pwd'
	check 'the builtin is still there' 'W/has/version' <<<'cd $W/has; builtin cd version; pwd'
	check 'twice is as once' 'W/a/b timonier' <<<'eval "$("$CD_BIN" shell-init)"; cd b; echo $(pwd) $(cd version | cut -d" " -f1)'
	check 'a function called cd lives on' $'mine b\nW/a/b' <<<'unset -f cd; function cd { echo mine "$@"; builtin cd "$@"; }; eval "$("$CD_BIN" shell-init)"; eval "$("$CD_BIN" shell-init)"; cd b; pwd'
	check 'and commands go past it' 'timonier' <<<'unset -f cd; function cd { echo mine "$@"; builtin cd "$@"; }; eval "$("$CD_BIN" shell-init)"; cd version | cut -d" " -f1'
done
shell=bash flags=(--norc --noprofile)
check 'cdable_vars' 'W/path' <<<'shopt -s cdable_vars; version=$W/path; cd version >/dev/null; pwd'
check 'posix mode' 'W/a/b' <<<'set -o posix; cd b; pwd'
if command -v zsh >/dev/null; then
	shell=zsh flags=(-f)
	check 'replacing a part of the path' 'W/new/x' <<<'cd $W/old/x; cd old new >/dev/null; pwd'
	check 'cdablevars' 'W/path' <<<'setopt cdablevars; version=$W/path; cd version >/dev/null; pwd'
	check 'autocd' 'W/a/b' <<<'setopt autocd; cd b; pwd'
fi
exit $failed
