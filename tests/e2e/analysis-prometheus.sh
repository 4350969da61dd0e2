#!/usr/bin/env bash
# A canary under the eyes of a real Prometheus, which asks the pods for their numbers: a version
# that answers errors goes back by itself, and the pusher reads why.
. "$(dirname "$0")/lib.sh"
[ -x "$tools/prometheus" ] || skip "needs Debian's prometheus in build/tools: scripts/fetch-tools.sh build/tools"
isolate "$0" "$@"
. "$(dirname "$0")/lib-rollout.sh"
setup
serve
rollout_images 1 2 3
rollout_repository "$source_dir/examples/rollouts/prometheus.yaml"

say "prometheus, and what tells it which pods there are (Debian's is built without kubernetes_sd_configs)"
cat >"$work/targets.py" <<'PY'
import http.server, json, subprocess, sys
HASH = "rollouts-pod-template-hash"
class Targets(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pods = json.loads(subprocess.check_output([sys.argv[1], "get", "pods", "-n", "demo", "-o", "json"]))["items"]
        groups = [{"targets": [p["status"]["podIP"] + ":8080"], "labels": {"version": p["metadata"]["labels"][HASH]}}
                  for p in pods if p["status"].get("podIP") and HASH in p["metadata"].get("labels", {})]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(groups).encode())
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Targets)
print(server.server_port, flush=True)
server.serve_forever()
PY
mkfifo "$work/port"
python3 "$work/targets.py" "$cd_bin" >"$work/port" 2>"$work/targets.log" &
read -r port <"$work/port"
cat >"$work/prometheus.yaml" <<YAML
scrape_configs:
- job_name: pods
  scrape_interval: 1s
  metrics_path: /cgi-bin/metrics
  http_sd_configs:
  - url: http://127.0.0.1:$port/
    refresh_interval: 1s
YAML
"$tools/prometheus" --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/prometheus" --web.listen-address=127.0.0.1:9090 \
	>"$work/prometheus.log" 2>&1 &
poll 60 curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:9090/-/ready || { tail -20 "$work/prometheus.log"; fail "prometheus does not start"; }
query() { curl -fsS --max-time 5 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query; }
seen() { query "http_requests_total{version=\"$("$cd_bin" get rollout web -n demo -o 'jsonpath={.status.currentPodHash}')\",code=\"$1\"} > 0"; }

say "the first version is seen by prometheus"
version 1
git push origin main 2>&1 | tee "$work/push1.log"
has "demo is healthy" cat "$work/push1.log"
probe "http://$(address_of web)/" "$work/probe.json" 50
poll 60 has '"__name__":"http_requests_total"' seen 200

say "a good one goes on under its eyes"
version 2
git push origin main >"$work/push2.log" 2>&1 &
push=$!
poll 60 has "rollout web: step 2/2 pause 5m, background analysis running, paused" cat "$work/push2.log"
poll 60 has '"__name__":"http_requests_total"' seen 200
measured() { "$cd_bin" get analysisruns -n demo -o json | python3 -c "
import json, sys
runs = [r['status'] for r in json.load(sys.stdin)['items'] if r['status'].get('phase') == 'Running']
sys.exit(0 if any(m.get('value') == '[0]' for r in runs for x in r['metricResults'] for m in x.get('measurements', [])) else str(runs))"; }
poll 60 measured
"$cd_bin" rollout promote web -n demo
wait $push || { cat "$work/push2.log"; fail "the push"; }
cat "$work/push2.log"
has "demo is healthy" cat "$work/push2.log"
poll 30 all_answer web 50 v2

say "one that answers errors does not"
version 3
git push origin main 2>&1 | tee "$work/push3.log"
has 'Background analysis phase error/failed: Metric "error-rate" assessed Failed due to failed (1) > failureLimit (0)' cat "$work/push3.log"
has 'FAILED: demo' cat "$work/push3.log"
has 'Degraded RolloutAborted' rollout_state
poll 30 has 'Metric "error-rate" assessed Failed' app_health
poll 30 all_answer web 200 v2
say passed
