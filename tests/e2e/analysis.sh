#!/usr/bin/env bash
# A canary that is pushed, and judged by what it answers: the pusher reads its steps, a good one goes on, a bad one goes back.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
. "$(dirname "$0")/lib-rollout.sh"
setup
serve
rollout_images 1 2 3

say "examples/rollouts/analysis.yaml, and before its steps an analysis that waits until it is let go"
cat >"$work/hold.py" <<'PY'
import http.server, os, sys, time
class Hold(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.02)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hold)
print(server.server_port, flush=True)
server.serve_forever()
PY
mkfifo "$work/port"
python3 "$work/hold.py" "$work/go" >"$work/port" &
read -r port <"$work/port"
rollout_repository "$source_dir/examples/rollouts/analysis.yaml"
edit "
steps.insert(0, {'analysis': {'templates': [{'templateName': 'hold'}]}})
docs.insert(0, {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'AnalysisTemplate', 'metadata': {'name': 'hold'}, 'spec': {'metrics': [
    {'name': 'hold', 'provider': {'web': {'url': 'http://127.0.0.1:$port/', 'timeoutSeconds': 300}}}]}})"
version 1
git push origin main 2>&1 | tee "$work/push1.log"
has "demo is healthy" cat "$work/push1.log"
poll 30 all_answer web 20 v1

say "a good version: the steps can be read while they happen"
version 2
git push origin main >"$work/push2.log" 2>&1 &
push=$!
poll 60 has "rollout web: step 1/5 analysis hold, analysis running" cat "$work/push2.log"
touch "$work/go"
wait $push || { cat "$work/push2.log"; fail "the push"; }
cat "$work/push2.log"
has "demo is healthy" cat "$work/push2.log"
has "Healthy" rollout_state
poll 30 all_answer web 50 v2

say "a version that answers errors goes back by itself, and says why"
probe "http://$(address_of web)/" "$work/probe.json" 50
version 3
git push origin main 2>&1 | tee "$work/push3.log"
has 'RolloutAborted: Rollout aborted update to revision 3: Step-based analysis phase error/failed: Metric "' cat "$work/push3.log"
has 'FAILED: demo' cat "$work/push3.log"
has 'Degraded RolloutAborted' rollout_state
poll 30 has 'Degraded Caused by' app_health
has 'Step-based analysis phase error/failed: Metric "' app_health
has 'Step-based analysis phase error/failed: Metric "' "$cd_bin" app get demo
poll 30 all_answer web 200 v2

say "back to the good one by a push"
version 2
git push origin main 2>&1 | tee "$work/push4.log"
has "demo is healthy" cat "$work/push4.log"

say "a pause without end: the push ends, and says how it goes on"
edit "steps[:] = [{'setWeight': 50}, {'pause': {}}]"
version 1
git push origin main 2>&1 | tee "$work/push5.log"
has 'demo is suspended: rollout web: step 2/2 pause, paused: `cd rollout promote web -n demo` goes on' cat "$work/push5.log"
"$cd_bin" rollout promote web -n demo
poll 30 has Healthy rollout_state
poll 30 all_answer web 50 v1

say "a pause with an end: the push waits for what comes after it"
edit "steps[:] = [{'setWeight': 50}, {'pause': {'duration': '1s'}}]"
version 2
git push origin main 2>&1 | tee "$work/push6.log"
has "demo is healthy" cat "$work/push6.log"
poll 30 all_answer web 50 v2

say "what cannot be right is said, and changes nothing"
wrong() { # TEXT EDIT: the push says this, and what runs stays
	edit "$2"
	version 1
	git push origin main >"$work/wrong.log" 2>&1
	has "InvalidSpec" cat "$work/wrong.log"
	has "$1" cat "$work/wrong.log"
	all_answer web 20 v2
}
wrong "steps[0].setWeight: must be between 0 and 100" "steps[:] = [{'setWeight': 101}]"
wrong "it never ends" "
by_kind['AnalysisTemplate']['spec']['metrics'][0].pop('count', None)
steps[:] = [{'analysis': {'templates': [{'templateName': 'answers'}]}}]"
wrong "needs an interval" "
by_kind['AnalysisTemplate']['spec']['metrics'][0].update(count=3)
by_kind['AnalysisTemplate']['spec']['metrics'][0].pop('interval')
steps.insert(0, {'setWeight': 5})"
wrong '"none" not found' "steps[:] = [{'analysis': {'templates': [{'templateName': 'none'}]}}]"
wrong 'service "gone" not found' "
steps[:] = [{'setWeight': 10}]
by_kind['Rollout']['spec']['strategy']['canary']['canaryService'] = 'gone'"
say passed
