#!/usr/bin/env bash
# The course's labs: every kustomization of the corpus gives the objects that its index lists, by their digests; every chart
# by their kinds and names.
set -euo pipefail
. "$CD_SOURCE/tests/conformance/lib.sh"
need corpus/seed-labs/index.json
need_python_yaml

out=$(python3 "$CD_SOURCE/tests/conformance/seed_labs.py" "$CD_BIN" "$SHARED/corpus/seed-labs") || true
echo "$out"
minimum seed-labs-kustomize "$(sed -n 's|^seed-labs kustomize: \([0-9]*\)/.*|\1|p' <<<"$out")"
minimum seed-labs-helm "$(sed -n 's|^seed-labs helm: \([0-9]*\)/.*|\1|p' <<<"$out")"
[[ "$out" != *"FAILED"* ]]
