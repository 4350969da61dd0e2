# tests/e2e/lib.sh - what every end-to-end test sources first.
#
# The test runs again in network, mount and pid namespaces of its own: nothing it does is seen by the machine, and
# whatever it leaves dies with it. Exit 77 means skipped, with the reason.
set -euo pipefail

source_dir=${CD_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
cd_bin=${CD_BIN:-$source_dir/build/bin/cd}
tools=$source_dir/build/tools/usr/bin

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
say() { printf '%s %s\n' "$(date +%T.%3N)" "$*"; }

[ -x "$cd_bin" ] || fail "no program at $cd_bin: build first"

isolate() { # "$0" "$@": runs the script again inside namespaces of its own
	[ -z "${CD_TEST_ISOLATED:-}" ] || return 0
	[ "$(id -u)" = 0 ] || skip "needs root"
	unshare --net --mount --pid --fork true 2>/dev/null || skip "needs namespaces"
	export CD_TEST_ISOLATED=1
	exec unshare --net --mount --pid --fork --kill-child --mount-proc bash "$@"
}

# poll SECONDS COMMAND...: until the command succeeds; what it printed last is shown when it never does.
poll() {
	local limit=$((SECONDS + $1)) out; shift
	until out=$("$@" 2>&1); do
		[ $SECONDS -lt $limit ] || { echo "never true: $*" >&2; echo "$out" >&2; return 1; }
		pause 0.05
	done
}
# A pause between two looks at a condition; never a substitute for one.
pause() { read -r -t "$1" <>"$work/pause" || true; }

expect() { # WANTED COMMAND...: succeeds and prints exactly this
	local wanted=$1 got; shift
	got=$("$@") || { echo "failed: $*"; return 1; }
	[ "$got" = "$wanted" ] || { echo "want [$wanted] got [$got] from: $*"; return 1; }
}
has() { # TEXT COMMAND...: succeeds and prints this somewhere
	local wanted=$1 got; shift
	got=$("$@" 2>&1) || { echo "failed: $*: $got"; return 1; }
	[[ $got == *"$wanted"* ]] || { echo "want [$wanted] in [$got] from: $*"; return 1; }
}
refuses() { # TEXT COMMAND...: fails and says this
	local wanted=$1 got; shift
	if got=$("$@" 2>&1); then echo "succeeded: $*: $got"; return 1; fi
	[[ $got == *"$wanted"* ]] || { echo "want [$wanted] in [$got] from: $*"; return 1; }
}

setup() {
	work=$(mktemp -d /tmp/cd-test.XXXXXX)
	mkfifo "$work/pause"
	data=$work/data
	ip link set lo up
	trap teardown EXIT
	trap 'exit 130' INT TERM
	unset GIT_SSL_CAINFO GIT_SSL_CAPATH CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	export HOME=$work GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_SYSTEM=/dev/null KUBECONFIG=$data/admin.kubeconfig
	git config --global user.name test
	git config --global user.email test@localhost
	git config --global init.defaultBranch main
	git config --global advice.detachedHead false
}

server=
serve() { # [OPTIONS]: starts the server, waits for its ready line; its log is $work/serve.log
	local fifo=$work/ready
	rm -f "$fifo"                   # a new one: a child of a killed server may still hold the last
	mkfifo "$fifo"
	"$cd_bin" serve --data-dir "$data" --node-name node1 "$@" >"$fifo" 2>>"$work/serve.log" &
	server=$!
	read -r ready <"$fifo" || { tail -n 50 "$work/serve.log" >&2; fail "the server did not start: $(ended "$server")"; }
	say "$ready"
	url=$(awk '{ print $2 }' <<<"$ready")
	git config --global "http.$url.sslCAInfo" "$data/pki/ca.crt"
	git config --global "http.$url.sslCert" "$data/pki/admin.crt"
	git config --global "http.$url.sslKey" "$data/pki/admin.key"
}
ended() { local status=0; wait "$1" || status=$?; echo "exit status $status"; }     # PID
stop_server() { # [SIGNAL]
	[ -n "$server" ] || return 0
	kill "-${1:-TERM}" "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}

teardown() {
	local status=$?
	trap - EXIT
	if [ $status != 0 ] && [ $status != 77 ] && [ -s "$work/serve.log" ]; then
		echo "---- the server's last words" >&2
		tail -n "${SERVE_LOG_LINES:-40}" "$work/serve.log" >&2
	fi
	if [ $status != 0 ] && [ $status != 77 ] && [ -n "$server" ]; then
		echo "---- what lives" >&2
		timeout 20 "$cd_bin" get deployments,replicasets,pods,events -A -o wide >&2 || true
	fi
	for pid in $(jobs -p); do
		[ "$pid" = "$server" ] || kill "$pid" 2>/dev/null || true
	done
	stop_server
	"$cd_bin" reset --data-dir "$data" >/dev/null 2>"$work/reset.log" || { cat "$work/reset.log" >&2; [ $status != 0 ] || status=1; }
	if [ $status = 0 ]; then leftovers || status=1; fi
	if [ $status = 0 ]; then sanitized || status=1; fi
	[ -n "${KEEP:-}" ] || rm -rf "$work"
	exit $status
}
# After `reset`, nothing of the data directory may live on.
leftovers() {
	local found
	found=$(awk -v d="$data" 'index($5, d) == 1 { print "mount " $5 }' /proc/self/mountinfo
		ip -o link show type bridge | awk -F': ' '{ print "bridge " $2 }'
		ip -o link show type veth | awk -F': ' '{ print "veth " $2 }'
		nft list tables 2>/dev/null | sed 's/^/nft /'
		pgrep -af 'supervisor|busybox' | sed 's/^/process /' || true)
	[ -z "$found" ] || { echo "left behind: $found" >&2; return 1; }
}

# With a program built with sanitizers: nothing was found while it ran, and nothing leaked when it stopped.
sanitized() {
	[ -e "$work/serve.log" ] || return 0
	! grep -A40 -E '(Address|Leak|UndefinedBehavior)Sanitizer|: runtime error: ' "$work/serve.log" |
		grep -v "doesn't fully support makecontext" | head -n 80 | grep . >&2
}

# The web servers that run, by process number; not the children that they fork for each connection.
web_servers() {
	ps -eo pid=,ppid=,args= | awk '$3 == "/bin/httpd" { parent[$1] = $2 } END { for (p in parent) if (!(parent[p] in parent)) print p }' | sort
}
web_servers_are() { expect "$1" eval 'web_servers | wc -l'; }   # COUNT

probe() { # URL FILE INTERVAL_MS: asks from now on, the first time before this returns; $prober ends with SIGTERM and leaves FILE
	rm -f "$2.begun"
	python3 "$source_dir/tests/e2e/prober.py" "$1" "$3" "$2" &
	prober=$!
	poll 60 test -e "$2.begun"
}

busybox_image() { # TAG [CONTAINERFILE LINES]: an image of Debian's static busybox with links for its programs
	local dir=$work/image.$RANDOM
	mkdir -p "$dir/bin"
	cp /bin/busybox "$dir/bin/busybox"
	for p in sh sleep cat tar httpd wget tr true false echo ls id ps nc env stat stty hostname md5sum dd seq sed rm; do ln -s busybox "$dir/bin/$p"; done
	printf 'FROM scratch\nCOPY bin /bin\nENV PATH=/bin\n%s\n' "${2:-}" >"$dir/Containerfile"
	"$cd_bin" image build --data-dir "$data" -t "$1" "$dir" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; return 1; }
}
