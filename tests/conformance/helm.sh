#!/usr/bin/env bash
# Template texts and whole charts with what Helm makes of them.
set -euo pipefail
. "$CD_SOURCE/tests/conformance/lib.sh"
need conformance/helm/run.py
need_python_yaml

out=$(python3 "$SHARED/conformance/helm/run.py" --bin "$CD_BIN" --min-pass 1) || true
echo "$out"
minimum helm-cases "$(sed -n 's|^helm conformance: \([0-9]*\).*|\1|p' <<<"$out")"
