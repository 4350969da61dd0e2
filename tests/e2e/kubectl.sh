#!/usr/bin/env bash
# Debian's own kubectl (1.20) and, where one is installed, the machine's, with nothing but admin.kubeconfig.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
[ -x "$tools/kubectl" ] || skip "no kubectl in build/tools: run scripts/fetch-tools.sh build/tools"
setup
serve
busybox_image web:1 'ENTRYPOINT ["/bin/sh", "-c", "echo started; trap exit TERM; while :; do sleep 1; done"]'

check() { # KUBECTL
	local k=$1 ns=kubectl-test
	say "$("$k" version --client --short 2>/dev/null || "$k" version --client | head -n 1)"
	has 'GitVersion:"v1.' "$k" version || has 'Server Version: v1.' "$k" version
	has deployments "$k" api-resources
	has node1 "$k" get nodes
	"$k" create namespace $ns
	"$k" apply -n $ns -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "web:1"}]
YAML
	"$k" rollout status -n $ns deployment/web --timeout 30s
	has 'kubectl-test' "$k" get pods -A
	has 'replicas: 2' "$k" get deploy -n $ns web -o yaml
	local pod; pod=$("$k" get pods -n $ns -l app=web -o 'jsonpath={.items[0].metadata.name}')
	has started "$k" logs -n $ns "$pod"
	has "$pod" "$k" describe pod -n $ns "$pod"
	"$k" get pods -n $ns -w >"$work/watch.log" 2>&1 &
	local watch=$!
	poll 10 has Running cat "$work/watch.log"
	"$k" delete pod -n $ns "$pod"
	refuses 'not found' "$k" get pod -n $ns "$pod"
	poll 20 has Terminating cat "$work/watch.log"
	kill $watch; wait $watch 2>/dev/null || true
	poll 20 expect 2 "$k" get deploy -n $ns web -o 'jsonpath={.status.readyReplicas}'
	"$k" scale -n $ns deployment/web --replicas 1
	poll 20 expect 1 "$k" get deploy -n $ns web -o 'jsonpath={.status.replicas}'
	"$k" delete namespace $ns --timeout 60s
	refuses 'not found' "$k" get namespace $ns
}

check "$tools/kubectl"
other=$(command -v kubectl || true)
[ -z "$other" ] || check "$other"
say passed
