#!/usr/bin/env bash
# Upstream's own cases: a file tree each, and what a build of it prints.
set -euo pipefail
. "$CD_SOURCE/tests/conformance/lib.sh"
need conformance/kustomize/run.py
need_python_yaml

out=$(python3 "$SHARED/conformance/kustomize/run.py" --bin "$CD_BIN" -j 2 --min-pass 1) || true
echo "$out"
count() { sed -n "s|^$1: \([0-9]*\).*|\1|p" <<<"$out"; }

status=0
minimum kustomize-cases "$(count 'kustomize conformance')" || status=1
minimum kustomize-byte-identical "$(count 'byte identical')" || status=1
passed=$(count 'kustomize conformance')
[ -n "$passed" ] || { echo "FAILED: the runner printed no count"; exit 1; }
read -r ordered outputs < <(sed -n 's|^key order identical: \([0-9]*\) of \([0-9]*\).*|\1 \2|p' <<<"$out")
if [ $((ordered * 100)) -lt $((outputs * 99)) ]; then
	echo "FAILED: keys are in another order in $((outputs - ordered)) of $outputs outputs"
	status=1
fi
exit $status
