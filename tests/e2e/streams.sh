#!/usr/bin/env bash
# Programs in containers, and connections to pods, as kubectl asks for them: over SPDY (Debian's 1.20) and, where the
# machine's kubectl is newer, over WebSockets.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
[ -x "$tools/kubectl" ] || skip "no kubectl in build/tools: run scripts/fetch-tools.sh build/tools"
setup
serve
busybox_image box:1
cd "$work"
mkdir site
echo home >site/index.html

"$cd_bin" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: base}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: "box:1"
    workingDir: /site
    command: [/bin/sh, -c, "exec httpd -f -p 8080 -h /site"]
    env: [{name: WORD, value: open}]
    securityContext: {runAsUser: 1234, runAsGroup: 99, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: s, mountPath: /site}, {name: t, mountPath: /tmp}]
  - {name: other, image: "box:1", command: [/bin/sh, -c, "exec sleep 1000000"]}
  volumes:
  - {name: s, hostPath: {path: $work/site}}
  - {name: t, emptyDir: {}}
---
apiVersion: v1
kind: Pod
metadata: {name: asks}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - {name: c, image: "box:1", stdin: true, stdinOnce: true, command: [/bin/sh, -c, "echo ready; tr a-c A-C; echo last"]}
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - {name: c, image: "box:1", stdin: true, tty: true, env: [{name: PS1, value: "in-the-pod> "}], command: [/bin/sh]}
YAML
ready() { expect True "$cd_bin" get pod "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'; }
poll 30 ready base

# status COMMAND...: prints its exit status
status() { local s=0; "$@" >/dev/null 2>&1 || s=$?; echo $s; }

programs() { # KUBECTL
	local k=$1
	expect base "$k" exec base -c other -- hostname
	expect "1234 99 open /site" "$k" exec base -c c -- sh -c 'echo $(id -u) $(id -g) $WORD $(pwd)'
	expect 'CapEff: 0000000000000000' "$k" exec base -c c -- sh -c 'while read -r n v; do [ $n != CapEff: ] || echo $n $v; done </proc/self/status'
	expect 4 status "$k" exec base -c c -- sh -c 'exit 4'
	expect 137 status "$k" exec base -c c -- sh -c 'kill -9 $$'
	expect out bash -c '"$1" exec base -c c -- sh -c "echo out; echo err >&2" 2>stderr' bash "$k"
	expect err cat stderr
	expect ABC bash -c 'echo abc | "$1" exec -i base -c c -- tr a-c A-C' bash "$k"
	refuses 'executable file not found' "$k" exec base -c c -- nothing
	refuses 'container nobody is not valid for pod base' "$k" exec base -c nobody -- true
	refuses 'not found' "$k" exec ghost -- true
	head -c 3000000 /dev/urandom >big
	expect "$(md5sum <big)" bash -c '"$1" exec -i base -c c -- md5sum <big' bash "$k"
	expect "$(md5sum <big)" bash -c '"$1" exec -i base -c c -- cat <big | md5sum' bash "$k"
	expect through bash -c 'echo through | "$1" exec -i base -c c -- sh -c "sleep 1000000 & cat"' bash "$k"
}

copies() { # KUBECTL
	local k=$1
	mkdir -p tree/sub
	echo payload >tree/sub/file
	"$k" cp tree base:/tmp/tree -c c
	expect payload "$k" exec base -c c -- cat /tmp/tree/sub/file
	"$k" cp base:/tmp/tree back -c c >/dev/null 2>&1
	expect payload cat back/sub/file
	"$k" exec base -c c -- sh -c 'rm -rf /tmp/tree'
	rm -r tree back
}

terminal() { # KUBECTL
	local s=0
	python3 "$source_dir/tests/e2e/terminal.py" 31 97 "$1" exec -it base -c other -- sh -c '
		size_is() { [ "$(stty size 2>/dev/null)" = "$*" ]; }
		until size_is 31 97; do sleep 0.1; done
		echo begun; read -r line; echo "got $line on $TERM"
		until size_is 44 111; do sleep 0.1; done
		echo resized; exit 3' >shown <<'SCRIPT' || s=$?
expect begun
type hello
expect got hello on xterm
size 44 111
expect resized
SCRIPT
	[ $s = 3 ] || fail "exit status $s instead of 3: $(cat shown)"
}

forwarded=
forward() { # KUBECTL: sets $forwarded
	: >forward.log
	"$1" port-forward pod/base :8080 --address 127.0.0.1 >forward.log 2>&1 &
	forwarder=$!
	poll 20 grep -q '^Forwarding from' forward.log
	forwarded=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' forward.log)
}

ports() { # KUBECTL
	forward "$1"
	for _ in 1 2 3; do expect home curl -sS "http://127.0.0.1:$forwarded/index.html"; done
	cp big site/big
	expect "$(md5sum <big)" bash -c 'curl -sS "http://127.0.0.1:$1/big" | md5sum' bash "$forwarded"
	kill $forwarder
	wait $forwarder 2>/dev/null || true
	: >forward.log
	"$1" port-forward pod/base :9 --address 127.0.0.1 >forward.log 2>&1 &
	forwarder=$!
	poll 20 grep -q '^Forwarding from' forward.log
	forwarded=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' forward.log)
	curl -sS "http://127.0.0.1:$forwarded/" >/dev/null 2>&1 && fail "port 9 answers" || true
	poll 20 grep -q 'connect to port 9 inside the pod: Connection refused' forward.log
	kill $forwarder 2>/dev/null || true
	wait $forwarder 2>/dev/null || true
}

everything() { # KUBECTL
	say "$("$1" version --client --short 2>/dev/null || "$1" version --client | head -n 1)"
	programs "$1"
	copies "$1"
	terminal "$1"
	ports "$1"
}

everything "$tools/kubectl"
# Before 1.31 a kubectl has to be told to.
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true KUBECTL_PORT_FORWARD_WEBSOCKETS=true
other=$(command -v kubectl || true)
[ -z "$other" ] || everything "$other"

say "our own commands"
c() { "$cd_bin" "$@"; }
expect "base" c exec base -c other -- hostname
expect 4 status c exec base -c c -- sh -c 'exit 4'
expect out bash -c '"$1" exec base -c c -- sh -c "echo out; echo err >&2" 2>stderr' bash "$cd_bin"
expect err grep -v makecontext stderr     # what a sanitizer says of fibers
expect "$(md5sum <big)" bash -c '"$1" exec -i base -c c -- md5sum <big' bash "$cd_bin"
expect "$(md5sum <big)" bash -c 'cat big | "$1" exec -i base -c c -- cat | md5sum' bash "$cd_bin"
refuses 'executable file not found' c exec base -c c -- nothing
refuses 'container nobody is not valid' c exec base -c nobody -- true
refuses 'not found' c exec ghost -- true
refuses 'after `--`' c exec base
terminal "$cd_bin"
forward "$cd_bin"
expect home curl -sS "http://127.0.0.1:$forwarded/index.html"
expect "$(md5sum <big)" bash -c 'curl -sS "http://127.0.0.1:$1/big" | md5sum' bash "$forwarded"
kill $forwarder
wait $forwarder 2>/dev/null || true

say "attached to a program that reads until its input ends"
poll 30 ready asks
printf 'abc\ncab\n' | "$tools/kubectl" attach -i asks >attached 2>&1 || fail "$(cat attached)"
has $'ABC\nCAB\nlast' cat attached
poll 20 expect Succeeded "$cd_bin" get pod asks -o 'jsonpath={.status.phase}'

say "attached to a terminal, twice at once"
poll 30 ready shell
"$tools/kubectl" attach shell >watching 2>&1 &
watcher=$!
python3 "$source_dir/tests/e2e/terminal.py" 20 70 "$tools/kubectl" attach -it shell >shown <<'SCRIPT' || fail "$(cat shown)"
type echo o""ne
expect one
type stty size
expect 20 70
type exit
SCRIPT
wait $watcher || fail "the one who watched: $(cat watching)"
has one cat watching

say "who goes takes the program along"
"$tools/kubectl" exec base -c other -- sleep 424242 &
client=$!
running() { ps -eo args= | grep -c '^sleep 424242'; }
poll 20 expect 1 running
kill $client
wait $client 2>/dev/null || true
gone() { ! running >/dev/null; }
poll 20 gone

say "who may"
"$cd_bin" apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: ServiceAccount
metadata: {name: looks}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looks}
rules: [{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks}
subjects: [{kind: ServiceAccount, name: looks, namespace: default}]
YAML
as=--as=system:serviceaccount:default:looks
refuses 'cannot create resource "pods/exec"' "$tools/kubectl" $as exec base -c c -- true
refuses 'cannot create resource "pods/attach"' "$tools/kubectl" $as attach base -c c
refuses 'cannot create resource "pods/portforward"' "$tools/kubectl" $as port-forward base :8080
"$tools/kubectl" $as logs base -c c

say "the server stops while a program runs"
"$tools/kubectl" exec base -c other -- sleep 434343 >stopped 2>&1 &
client=$!
running() { ps -eo args= | grep -c '^sleep 434343'; }
poll 20 expect 1 running
stop_server
wait $client && fail "it succeeded" || true
poll 20 gone
say passed
