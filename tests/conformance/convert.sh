#!/usr/bin/env bash
# Helm charts converted to Lua render to the same bytes as the charts themselves.
set -euo pipefail
. "$CD_SOURCE/tests/conformance/lib.sh"
need conformance/helm/charts
work=$(mktemp -d /tmp/cd-convert.XXXXXX)
trap 'rm -rf "$work"' EXIT

same=0 different=0
for chart in "$SHARED"/conformance/helm/charts/*/ "$CD_SOURCE"/cli/starter/helm/; do
	[ -e "$chart/Chart.yaml" ] || continue
	rm -rf "$work/chart" "$work/lua"
	cp -r "$chart" "$work/chart"
	sed -i 's/CHARTNAME/web/g' "$work"/chart/Chart.yaml "$work"/chart/templates/* 2>/dev/null || true
	"$CD_BIN" render "$work/chart" >"$work/want" 2>/dev/null || continue
	if "$CD_BIN" chart convert -d "$work/lua" "$work/chart" >/dev/null && "$CD_BIN" render "$work/lua" >"$work/got" &&
		cmp -s "$work/want" "$work/got"; then
		same=$((same + 1))
	else
		different=$((different + 1))
		echo "$chart differs:"
		diff "$work/want" "$work/got" | head -n 10 || true
	fi
done
echo "converted charts: $same the same, $different different"
[ $different = 0 ]
minimum converted-charts $same
