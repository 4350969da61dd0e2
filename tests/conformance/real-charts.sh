#!/usr/bin/env bash
# Public charts beside Helm's own program: CD_REAL_CHARTS is a directory with charts, CD_HELM the program (else the one in PATH).
set -euo pipefail
. "$CD_SOURCE/tests/conformance/lib.sh"
need_python_yaml
charts=${CD_REAL_CHARTS:-$SHARED/corpus/real-charts}
helm=${CD_HELM:-$(command -v helm || true)}
[ -d "$charts" ] || skip "no charts: $charts is not there (CD_REAL_CHARTS)"
[ -x "$helm" ] || skip "helm is not installed (CD_HELM)"

out=$(python3 "$CD_SOURCE/tests/conformance/real_charts.py" "$CD_BIN" "$helm" "$charts")
echo "$out"
read -r same total < <(sed -n 's|^real charts: \([0-9]*\)/\([0-9]*\) .*|\1 \2|p' <<<"$out")
[ "${total:-0}" -gt 0 ] || skip "helm renders none of the charts in $charts"
minimum real-charts-percent $((same * 100 / total))
