#!/usr/bin/env bash
# Canary by weight, abort, promote, and blue-green on real containers, under a client that opens a new connection every 5 ms.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve
for v in 1 2; do
	busybox_image web:$v "ENTRYPOINT [\"/bin/sh\", \"-c\", \"mkdir -p /tmp/w && echo v$v >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w\"]"
done

state() { "$cd_bin" get rollout web -o 'jsonpath={.status.phase} {.status.message} step {.status.currentStepIndex}'; }
address() { "$cd_bin" get service "$1" -o 'jsonpath={.spec.clusterIP}'; }
probe() { python3 "$source_dir/tests/e2e/prober.py" "http://$(address "$1")/" 5 "$2" & prober=$!; }
end_probe() { # FILE: no request has failed
	kill -TERM $prober; wait $prober
	python3 - "$1" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
print(r["requests"], "requests", r["answers"])
sys.exit(f"failed: {r['failed'][:3]}" if r["failed"] else 0)
PY
}
# SERVICE N WEIGHT: of N new connections so many per cent reach v2, within four standard deviations.
share() {
	python3 - "$(address "$1")" "$2" "$3" <<'PY'
import http.client, math, sys
ip, n, want = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 100
got = 0
for _ in range(n):
    c = http.client.HTTPConnection(ip, 80, timeout=2)
    c.request("GET", "/")
    got += c.getresponse().read().strip() == b"v2"
    c.close()
wide = 4 * math.sqrt(n * want * (1 - want))
print(f"{got} of {n} reached v2, want {n * want:.0f} +- {wide:.0f}")
sys.exit(0 if abs(got - n * want) <= wide else 1)
PY
}

say canary
"$cd_bin" apply -f "$source_dir/examples/rollouts/canary.yaml"
poll 30 has Healthy state
probe web "$work/canary.json"
"$cd_bin" rollout set-image web web=web:2
poll 30 expect 'Paused CanaryPauseStep step 1' state
poll 10 share web 1000 10
"$cd_bin" rollout promote web
poll 30 expect 'Paused CanaryPauseStep step 3' state
poll 10 share web 1000 50
"$cd_bin" rollout abort web
poll 10 has 'RolloutAborted' state
poll 10 share web 200 0
refuses 'not paused' "$cd_bin" rollout promote web
"$cd_bin" rollout retry web
poll 30 expect 'Paused CanaryPauseStep step 1' state
"$cd_bin" rollout promote web --full
poll 30 has Healthy state
poll 10 share web 200 100
"$cd_bin" rollout undo web
poll 30 expect 'Paused CanaryPauseStep step 1' state
"$cd_bin" rollout promote web --full
poll 30 has Healthy state
poll 10 share web 200 0
end_probe "$work/canary.json"
has stable "$cd_bin" rollout get web
has web "$cd_bin" rollout list
"$cd_bin" delete rollout/web service/web

say blue-green
"$cd_bin" apply -f "$source_dir/examples/rollouts/blue-green.yaml"
poll 30 has Healthy state
poll 10 share web 20 0
probe web "$work/colours.json"
"$cd_bin" rollout set-image web web=web:2
poll 30 has 'Paused BlueGreenPause' state
poll 10 share web-preview 50 100
poll 10 share web 50 0
"$cd_bin" rollout promote web
poll 30 has Healthy state
poll 10 share web 50 100
"$cd_bin" rollout undo web       # the old version still lives: no pause on the way back
poll 10 share web 50 0
poll 30 has 'Healthy' state
end_probe "$work/colours.json"

say 'a wrong one changes nothing'
sed 's/previewService: web-preview/previewService: web/' "$source_dir/examples/rollouts/blue-green.yaml" | "$cd_bin" apply -f -
poll 10 has 'activeService and previewService must be different' state
poll 10 share web 20 0
say passed
