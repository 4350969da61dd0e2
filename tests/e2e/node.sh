#!/usr/bin/env bash
# The node: containers, addresses and names outlive the server, however often and whenever it is killed.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
rounds=${ROUNDS:-12}
serve
busybox_image web:1 'WORKDIR /www
ENTRYPOINT ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]'

get() { "$cd_bin" get "$@"; }
pods() { get pods -o json | python3 -c "
import json, sys
for p in json.load(sys.stdin)['items']:
    print(p['metadata']['name'], p.get('status', {}).get('podIP'), p['status'].get('phase'))"; }
count() { find "$1" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

cat >"$work/web.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: "hello\n"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        volumeMounts: [{name: page, mountPath: /www}]
      volumes: [{name: page, configMap: {name: page}}]
YAML
"$cd_bin" apply -f "$work/web.yaml"
three() { [ "$(get deployment web -o jsonpath='{.status.readyReplicas} {.status.replicas} {.status.updatedReplicas}')" = "3 3 3" ] &&
	[ "$(pods | wc -l)" = 3 ]; }
poll 30 three
vip=$(get service web -o jsonpath='{.spec.clusterIP}')
expect hello curl -fsS --max-time 2 "http://$vip/"

say "a pod finds the Service by its name"
cat >"$work/ask.yaml" <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: ask}
spec:
  restartPolicy: Never
  containers:
  - name: ask
    image: web:1
    command: [/bin/busybox, nslookup, -type=a, web.default.svc.cluster.local]
YAML
"$cd_bin" apply -f "$work/ask.yaml"
poll 20 expect Succeeded get pod ask -o jsonpath='{.status.phase}'
has "$vip" "$cd_bin" logs ask
"$cd_bin" delete pod ask

say "SIGKILL at rest: the same processes go on, and serve meanwhile"
before=$(pods; web_servers)
stop_server KILL
expect hello curl -fsS --max-time 2 "http://$vip/"
serve
expect "$before" eval 'pods; web_servers'
expect hello curl -fsS --max-time 2 "http://$vip/"

say "SIGKILL $rounds times while pods come and go"
for i in $(seq "$rounds"); do
	"$cd_bin" patch deployment web --type merge -p \
		"{\"spec\":{\"replicas\":$((RANDOM % 5)),\"template\":{\"metadata\":{\"annotations\":{\"round\":\"$i\"}}}}}" >/dev/null
	pause "0.$(printf %03d $((RANDOM % 300)))"
	stop_server KILL
	serve >/dev/null
done
"$cd_bin" patch deployment web --type merge -p '{"spec":{"replicas":3}}'
poll 60 three
expect hello curl -fsS --max-time 2 "http://$vip/"
exact() { web_servers_are 3 >/dev/null && [ "$(count "$data/node/pods")" = 3 ] && [ "$(count "$data/node/addresses")" = 3 ] &&
	[ "$(ip -o link show type veth | wc -l)" = 3 ]; }
poll 20 exact

say "what is deleted is gone at once, though the program does nothing about SIGTERM"
"$cd_bin" delete deployment web
none() { [ "$(pods | wc -l)" = 0 ] && [ "$(count "$data/node/pods")" = 0 ] && [ "$(count "$data/node/addresses")" = 0 ]; }
poll 10 none
refuses "" curl -fsS --max-time 2 "http://$vip/"
say passed
