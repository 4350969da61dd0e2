#!/usr/bin/env bash
# The page of commands is what the program prints; every command tells about itself; completion answers.
set -euo pipefail
source_dir=${CD_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
cd_bin=${CD_BIN:-$source_dir/build/bin/cd}
[ -x "$cd_bin" ] || { echo "no program at $cd_bin: build first" >&2; exit 1; }
fail() { echo "FAILED: $*" >&2; exit 1; }

page=$source_dir/docs/reference/cli.md
diff "$page" <("$cd_bin" help --markdown) || fail "$page is old: run \`cd help --markdown > docs/reference/cli.md\`"

verbs=$("$cd_bin" __complete '' | cut -f1)
[ -n "$verbs" ] || fail "no commands"
for verb in $verbs; do
	help=$("$cd_bin" "$verb" --help) || fail "cd $verb --help"
	[[ $help == "usage: cd $verb "* ]] || fail "cd $verb --help begins with: $help"
	[[ $help == *examples:* ]] || fail "cd $verb --help has no examples"
	[ "$("$cd_bin" help "$verb")" = "$help" ] || fail "cd help $verb differs from cd $verb --help"
	set +e
	"$cd_bin" "$verb" --no-such-option >/dev/null 2>&1
	code=$?
	set -e
	[ $code = 2 ] || fail "cd $verb --no-such-option exits $code, not 2"
done

expect() { # WANTED WORDS...: a candidate
	local wanted=$1; shift
	"$cd_bin" __complete "$@" | cut -f1 | grep -qxF -- "$wanted" || fail "completing '$*' does not offer $wanted"
}
expect get ge
expect pods get po
expect --namespace get pods -
expect yaml get pods -o ''
expect :files apply -f ''
expect bash completion ''

in_bash() { # WORDS...: what bash would offer
	CD_BIN=$cd_bin bash --norc --noprofile -c 'eval "$("$CD_BIN" completion bash)"; COMP_WORDS=(timonier "$@"); COMP_CWORD=$#; _timonier; echo "${COMPREPLY[*]}"' bash "$@"
}
[ "$(in_bash api-r)" = api-resources ] || fail "bash completes api-r to: $(in_bash api-r)"
[ "$(in_bash get pods --all-n)" = --all-namespaces ] || fail "bash completes --all-n to: $(in_bash get pods --all-n)"
[ "$(in_bash get pods -o j)" = "json jsonpath=" ] || fail "bash completes -o j to: $(in_bash get pods -o j)"
if command -v zsh >/dev/null; then
	zsh -n <("$cd_bin" completion zsh) || fail "zsh does not read its completion"
fi

set +e
"$cd_bin" gte >/dev/null 2>"${TMPDIR:-/tmp}/cd-cli.$$"
code=$?
set -e
said=$(cat "${TMPDIR:-/tmp}/cd-cli.$$"); rm -f "${TMPDIR:-/tmp}/cd-cli.$$"
[ $code = 2 ] && [[ $said == *"did you mean 'get'"* ]] || fail "cd gte: $code $said"
if [ -w /dev/full ]; then
	! "$cd_bin" help >/dev/full 2>/dev/null || fail "a full disk behind stdout is not noticed"
fi
said=$({ "$cd_bin" help --markdown | true; } 2>&1) || true
[ -z "$said" ] || fail "a reader that leaves is an error: $said"
echo passed
