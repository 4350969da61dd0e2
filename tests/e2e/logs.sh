#!/usr/bin/env bash
# `cd logs` of real containers: all, followed, the last lines, of one container of several, of the run before.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve
busybox_image box:1
c() { "$cd_bin" "$@"; }
cd "$work"

c apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: talk}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: "box:1", command: [/bin/sh, -c, "for i in 1 2 3 4 5; do echo line \$i; done; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last"], volumeMounts: [{name: t, mountPath: /tmp}]}
  - {name: b, image: "box:1", command: [/bin/sh, -c, "echo from b; while [ ! -e /tmp/go ]; do sleep 0.1; done"], volumeMounts: [{name: t, mountPath: /tmp}]}
  volumes: [{name: t, hostPath: {path: $work/go, type: DirectoryOrCreate}}]
YAML
poll 20 has 'line 5' c logs talk -c a

say "all, the last lines, one container of several"
expect $'line 1\nline 2\nline 3\nline 4\nline 5' c logs talk -c a
expect $'line 4\nline 5' c logs talk -c a --tail 2
expect 'from b' c logs talk -c b
has 'from b' c logs talk --all-containers
has "this is 'a'" c logs talk --tail 1
refuses 'nobody' c logs talk -c nobody
expect 'line 5' bash -c '"$1" logs talk -c a --timestamps --tail 1 | cut -d" " -f2-' bash "$cd_bin"
expect 'line' c logs talk -c a --limit-bytes 4

say "followed until the container ends"
c logs talk -c a -f >followed 2>&1 &
follower=$!
poll 10 grep -q 'line 5' followed
: >go/go
wait $follower || fail "logs -f failed: $(cat followed)"
expect last tail -n 1 followed

say "of a Deployment, and of the run before the last restart"
c apply -f - >/dev/null <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: again}
spec:
  selector: {matchLabels: {app: again}}
  template:
    metadata: {labels: {app: again}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: "box:1", command: [/bin/sh, -c, "echo run of $$; if [ -e /tmp/once ]; then sleep 1000; fi; : >/tmp/once; echo failing; exit 1"], volumeMounts: [{name: t, mountPath: /tmp}]}]
      volumes: [{name: t, emptyDir: {}}]
YAML
restarted() { expect 1 c get pods -l app=again -o 'jsonpath={.items[0].status.containerStatuses[0].restartCount}'; }
poll 30 restarted
has 'run of' c logs deployment/again
has failing c logs deploy/again -p
refuses 'not found' c logs deployment/nothing
c delete deployment again
c delete pod talk
say passed
