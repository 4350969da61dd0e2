#!/usr/bin/env bash
# Canary by weight, abort, promote, restart, and blue-green on real containers, under a client that opens 200 new connections a
# second all the time: no request may fail at any change. At each step 5,000 more connections tell whether the weight is what
# it should be (share.py says how that is decided without failing by chance).
#
#   CONNECTIONS_A_SECOND=200 tests/e2e/rollout.sh     the 5,000 at this pace too (25 s a step); 0: as fast as they are answered
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
pace=${CONNECTIONS_A_SECOND:-0}
serve
for v in 1 2; do
	busybox_image web:$v "ENTRYPOINT [\"/bin/sh\", \"-c\", \"mkdir -p /tmp/w && echo v$v >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w\"]"
done

state() { "$cd_bin" get rollout web -o 'jsonpath={.status.phase} {.status.message} step {.status.currentStepIndex}'; }
address() { "$cd_bin" get service "$1" -o 'jsonpath={.spec.clusterIP}'; }
end_probe() { # FILE: no request has failed
	kill -TERM $prober; wait $prober
	python3 - "$1" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
print(r["requests"], "requests,", round(r["requests"] / r["seconds"]), "a second", r["answers"])
sys.exit(f"failed: {r['failed'][:3]}" if r["failed"] else 0)
PY
}
weights_agree() { # the kernel's and the status'
	"$cd_bin" get rollout web -o json >"$work/rollout.json" && "$cd_bin" get pods -o json >"$work/pods.json" &&
		nft -j list ruleset >"$work/rules.json" &&
		python3 "$source_dir/tests/e2e/kernel-weights.py" "$work/rollout.json" "$work/pods.json" "$work/rules.json"
}
# SERVICE WEIGHT [CONNECTIONS]: so many per cent of the new connections reach v2.
share() { python3 "$source_dir/tests/e2e/share.py" "$(address "$1")" v2 "$2" "${3:-5000}" "$pace"; }
reach() { poll 30 weights_agree; share "$@"; }
pods() { "$cd_bin" get pods -o json | python3 -c 'import json, sys; print(*sorted(p["metadata"]["name"] for p in json.load(sys.stdin)["items"]))'; }
restarted() { [ "$("$cd_bin" get rollout web -o 'jsonpath={.spec.restartAt}')" = "$("$cd_bin" get rollout web -o 'jsonpath={.status.restartedAt}')" ]; }

say canary
{ cat "$source_dir/examples/rollouts/canary.yaml"; printf '      - setWeight: 100\n      - pause: {}\n'; } >"$work/canary.yaml"
sed -i 's/duration: 1m/duration: 1h/' "$work/canary.yaml"
"$cd_bin" apply -f "$work/canary.yaml"
poll 30 has Healthy state
probe "http://$(address web)/" "$work/canary.json" 5
"$cd_bin" rollout set-image web web=web:2
poll 30 expect 'Paused CanaryPauseStep step 1' state
reach web 10
"$cd_bin" rollout promote web
poll 30 expect 'Paused CanaryPauseStep step 3' state
reach web 50
begun=$(date +%s.%N)
"$cd_bin" rollout abort web
poll 10 has 'RolloutAborted' state
reach web 0 200
end_probe "$work/canary.json"
python3 - "$work/canary.json" "$begun" <<'PY'
import json, sys
last = json.load(open(sys.argv[1]))["last"]["v2"]
print(f"abort: the last connection to v2 was opened {max(0, (last - float(sys.argv[2])) * 1000):.0f} ms after the command was started")
PY
probe "http://$(address web)/" "$work/canary.json" 5
refuses 'not paused' "$cd_bin" rollout promote web
"$cd_bin" rollout retry web
poll 30 expect 'Paused CanaryPauseStep step 1' state
"$cd_bin" rollout promote web
poll 30 expect 'Paused CanaryPauseStep step 3' state
"$cd_bin" rollout promote web
poll 30 expect 'Paused CanaryPauseStep step 5' state
reach web 100 1000              # exact: more would tell no more
"$cd_bin" rollout promote web
poll 30 has Healthy state
reach web 100 200
"$cd_bin" rollout undo web
poll 30 expect 'Paused CanaryPauseStep step 1' state
"$cd_bin" rollout promote web --full
poll 30 has Healthy state
reach web 0 200
has stable "$cd_bin" rollout get web
has web "$cd_bin" rollout list
end_probe "$work/canary.json"

say restart
"$cd_bin" delete rollout/web service/web
poll 30 expect '' pods
sed 's/replicas: 2/replicas: 4/' "$work/canary.yaml" | "$cd_bin" apply -f -
poll 30 has Healthy state
before=$(pods)
probe "http://$(address web)/" "$work/restart.json" 5
created=$(date +%s)
later() { [ "$(date +%s)" -gt "$created" ]; }         # times of objects are whole seconds
poll 30 later
"$cd_bin" rollout restart web
poll 60 restarted
poll 60 has Healthy state
for pod in $before; do
	poll 60 refuses 'not found' "$cd_bin" get pod "$pod"
done
end_probe "$work/restart.json"

say 'one pod each: 1% is 1%'
"$cd_bin" delete rollout/web service/web
sed 's/replicas: 2/replicas: 1/; s/setWeight: 10$/setWeight: 1/' "$work/canary.yaml" | "$cd_bin" apply -f -
poll 30 has Healthy state
probe "http://$(address web)/" "$work/one.json" 5
"$cd_bin" rollout set-image web web=web:2
poll 30 expect 'Paused CanaryPauseStep step 1' state
reach web 1
poll 60 expect 2 eval 'pods | wc -w'
end_probe "$work/one.json"
"$cd_bin" delete rollout/web service/web

say blue-green
"$cd_bin" apply -f "$source_dir/examples/rollouts/blue-green.yaml"
poll 30 has Healthy state
reach web 0 20
probe "http://$(address web)/" "$work/colours.json" 5
"$cd_bin" rollout set-image web web=web:2
poll 30 has 'Paused BlueGreenPause' state
reach web-preview 100 50
share web 0 50
"$cd_bin" rollout promote web
poll 30 has Healthy state
reach web 100 50
"$cd_bin" rollout undo web       # the old version still lives: no pause on the way back
poll 30 has 'Healthy' state
poll 30 share web 0 50
end_probe "$work/colours.json"

say 'a Deployment is taken over'
"$cd_bin" delete rollout/web service/web service/web-preview
poll 60 expect '' pods
cat >"$work/workload.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {terminationGracePeriodSeconds: 5, containers: [{name: web, image: "web:1", readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 2
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web, scaleDown: onsuccess}
  strategy:
    canary:
      canaryMetadata: {labels: {role: canary}}
      stableMetadata: {labels: {role: stable}}
      steps: [{setWeight: 50}, {pause: {}}]
YAML
"$cd_bin" apply -f "$work/workload.yaml"
images() { "$cd_bin" get pods -l "role=$1" -o 'jsonpath={.items[*].spec.containers[0].image}'; }     # of that role
deployment() { "$cd_bin" get deployment web -o 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}'; }
poll 60 has Healthy state
poll 60 expect '0 web:1' deployment
poll 60 expect 2 eval 'pods | wc -w'
poll 60 expect 'web:1 web:1' images stable
"$cd_bin" rollout set-image web web=web:2
poll 60 expect 'Paused CanaryPauseStep step 1' state
expect '0 web:2' deployment
poll 60 expect 'web:1' images stable
poll 60 expect 'web:2' images canary
"$cd_bin" rollout undo web
poll 60 has Healthy state
expect '0 web:1' deployment
poll 60 expect 'web:1 web:1' images stable
"$cd_bin" delete rollout/web deployment/web

say 'a wrong one changes nothing'
"$cd_bin" apply -f "$source_dir/examples/rollouts/blue-green.yaml"
poll 30 has Healthy state
sed 's/previewService: web-preview/previewService: web/' "$source_dir/examples/rollouts/blue-green.yaml" | "$cd_bin" apply -f -
poll 10 has 'activeService and previewService must be different' state
poll 10 share web 0 20
say passed
