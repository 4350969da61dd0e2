#!/usr/bin/env bash
# ./quickstart.sh ends with a URL that answers, cleans up after Ctrl-C, and works again on what it left.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
[ "$cd_bin" = "$source_dir/build/bin/cd" ] || skip "quickstart.sh builds build/, and the program tested is another one"
setup
data=$work/quick
start() { # runs quickstart in a process group of its own, so that it can be sent what Ctrl-C sends
	: >"$work/quick.log"
	setsid "$source_dir/quickstart.sh" --data-dir "$data" >"$work/quick.log" 2>&1 &
	quick=$!
	poll 300 has 'Ctrl-C stops' cat "$work/quick.log"
}
interrupt() {
	kill -INT -- "-$quick"
	wait "$quick" || true
	poll 10 refuses 127.0.0.1 curl -fsS --max-time 1 http://127.0.0.1:30080/
	leftovers
}

say "the first time"
start
has 'version 1' curl -fsS --max-time 2 http://127.0.0.1:30080/
say "what it says changes the page"
eval "$(sed -n 's/^Change and push: *//p' "$work/quick.log")" >"$work/push.log" 2>&1
poll 20 has 'version 2' curl -fsS --max-time 2 http://127.0.0.1:30080/
eval "$(sed -n 's/^Look at it: *//p' "$work/quick.log")" >"$work/look.log"
has Healthy cat "$work/look.log"
interrupt

say "again, on the same data directory"
start
has 'version 2' curl -fsS --max-time 2 http://127.0.0.1:30080/
interrupt
say passed
