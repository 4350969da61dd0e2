# bench/lib.sh - for benchmarks that need a server: the end-to-end harness, and percentiles.
bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../tests/e2e/lib.sh
. "$bench_dir/../tests/e2e/lib.sh"

summary() { # NAME UNIT: numbers on stdin, one a line; prints count, min, median, p95, max
	sort -n | awk -v name="$1" -v unit="$2" '{ v[NR] = $1 } END {
		if (!NR) { print name, "no samples"; exit }
		p95 = int(NR * 0.95 + 0.999999); mid = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
		printf "%-28s n %d  min %.1f  median %.1f  p95 %.1f  max %.1f %s\n", name, NR, v[1], mid, v[p95], v[NR], unit }'
}
now_ms() { date +%s%3N; }
