# What the conformance scripts share: where the corpora are, and minimums that only go up.

SHARED=${CD_SHARED:-$CD_SOURCE/../shared}
MINIMUMS=$CD_SOURCE/tests/conformance/minimums

skip() {
	echo "skipped: $1"
	exit 77
}

# need PATH: skips when a corpus or a tool is not there.
need() {
	[ -e "$SHARED/$1" ] || skip "$SHARED/$1 is not there"
}

need_python_yaml() {
	python3 -c 'import yaml' 2>/dev/null || skip "the Python module 'yaml' is not installed"
}

# minimum NAME COUNT: fails when the recorded minimum is higher; tells when it can be raised.
minimum() {
	local recorded
	recorded=$(awk -v name="$1" '$1 == name { print $2 }' "$MINIMUMS")
	if [ "$2" -lt "${recorded:-0}" ]; then
		echo "FAILED: $1 is $2, and was at least $recorded"
		return 1
	fi
	[ "$2" -le "${recorded:-0}" ] || echo "$1 is $2: raise its line in tests/conformance/minimums from ${recorded:-0}"
}
