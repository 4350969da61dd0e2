#!/usr/bin/env bash
# The commands of resources against a real server without a node: what they print, what they change, how they exit.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve --no-node

cd "$work"
c() { "$cd_bin" "$@"; }
code() { # WANTED COMMAND...: exits with it
	local wanted=$1 got=0; shift
	"$@" >"$work/out" 2>&1 || got=$?
	[ $got = "$wanted" ] || { echo "want exit $wanted, got $got from: $*: $(cat "$work/out")"; return 1; }
}
cat >web.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: "nowhere:1"}]
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {greeting: hello}}
- {apiVersion: v1, kind: Secret, metadata: {name: key}, data: {token: dmVyeXNlY3JldA==}}
YAML

say "apply: created, unchanged, configured, dry runs"
expect $'deployment.apps/web created (dry run)\nconfigmap/settings created (dry run)\nsecret/key created (dry run)' c apply -f web.yaml --dry-run client
code 3 c get deployment web
expect $'deployment.apps/web created\nconfigmap/settings created\nsecret/key created' c apply -f web.yaml
expect $'deployment.apps/web unchanged\nconfigmap/settings unchanged\nsecret/key unchanged' c apply -f web.yaml
sed -i 's/hello/hi/' web.yaml
has 'configmap/settings configured' c apply -f - <web.yaml
mkdir -p dir/below
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n' >dir/one.yaml
printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"two"}}' >dir/below/two.json
echo 'not: a manifest' >dir/README.txt
expect 'configmap/one created' c apply -f dir
expect $'configmap/two created\nconfigmap/one unchanged' c apply -f dir -R

say "one bad document of many changes nothing"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three}\n---\napiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n' >bad.yaml
refuses 'bad.yaml:5' c apply -f bad.yaml
code 3 c get configmap three
refuses "in namespace 'default'" c apply -n other -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"default"}}'

say "create: what exists is an error; data of all kinds"
expect 'namespace/shelf created' c create namespace shelf
code 1 c create namespace shelf
printf 'a\377b' >binary
printf 'text' >dir/plain.txt
expect 'configmap/made created' c create configmap made -n shelf --from-literal k=v=w --from-file binary --from-file p=dir/plain.txt
expect 'v=w text Yf9i' c get cm made -n shelf -o 'jsonpath={.data.k} {.data.p} {.binaryData.binary}'
expect 'secret/made created' c create secret generic made --from-literal user=me
expect 'bWU= Opaque' c get secret made -o 'jsonpath={.data.user} {.type}'
has 'color: blue' c create configmap shown --from-literal color=blue --dry-run client -o yaml
code 3 c get configmap shown
refuses 'given twice' c create configmap bad --from-literal a=1 --from-literal a=2
refuses 'is not a key' c create configmap bad --from-literal 'a b=1'
code 1 c create gizmo x

say "get: tables, names, documents, selectors, several types"
pods_are_there() { [ "$(c get pods -l app=web -o name | wc -l)" = 2 ]; }
poll 10 pods_are_there
has 'NAME   READY   UP-TO-DATE   AVAILABLE   AGE' c get deploy
has 'web    0/2' c get deployments.apps web
has 'CONTAINERS' c get deploy web -o wide
expect deployment.apps/web c get deploy -o name
has 'deployment.apps/web' c get deploy,configmaps
has 'configmap/settings' c get deploy,configmaps
has 'NAMESPACE' c get deploy -A
has 'tier=front' c get deploy --show-labels
expect '' c get configmap nothing --ignore-not-found
has 'No resources found in default namespace.' c get jobs
has '"kind": "List"' c get configmaps -o json
expect hi python3 -c 'import json, subprocess, sys; print(json.loads(subprocess.check_output([sys.argv[1], "get", "cm", "settings", "-o", "json"]))["data"]["greeting"])' "$cd_bin"
has 'greeting: hi' c get cm/settings -o yaml
refuses 'resource type "bogus"' c get bogus
code 3 c get pod nothing
code 2 c get
code 2 c get pods --nonsense
code 2 c get pods -o xml

say "describe shows events, and no secrets"
has 'ScalingReplicaSet' c describe deployment web
has 'token: ' c describe secret key
has_secret() { c describe secret key | grep -q "$(printf verysecret | base64)"; }
if has_secret; then fail "describe shows a secret"; fi

say "patch, scale, label, annotate"
expect 'deployment.apps/web patched' c patch deploy web --type merge -p '{"spec":{"replicas":3}}'
expect 'deployment.apps/web scaled' c scale deploy/web --replicas 1
refuses 'has 1 replicas, not 5' c scale deploy/web --replicas 2 --current-replicas 5
expect 'configmap/settings labeled' c label cm settings a=b
refuses 'say --overwrite' c label cm settings a=c
expect 'configmap/settings labeled' c label cm settings a=c --overwrite
expect 'configmap/settings annotated' c annotate cm/settings note=x
expect configmap/settings c get cm -l a=c -o name
expect 'configmap/settings labeled' c label cm settings a-
expect '' c get cm -l a=c -o name

say "watch shows what changes"
c get configmaps -w --no-headers >watched 2>&1 &
watcher=$!
poll 10 grep -q settings watched
c apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"late"}}' >/dev/null
poll 10 grep -q late watched
kill $watcher; wait $watcher 2>/dev/null || true

say "wait and delete"
code 4 c wait cm/settings --for delete --timeout 200ms
has 'condition met' c wait deploy/web --for 'jsonpath={.spec.replicas}=1'
expect 'configmap "settings" deleted from default namespace' c delete cm settings
code 3 c delete cm settings
expect '' c delete cm settings --ignore-not-found
has 'deployment.apps "web" deleted' c delete -f web.yaml --ignore-not-found
no_pods() { [ -z "$(c get pods -o name)" ]; }
poll 20 no_pods
code 1 c delete cm
has deleted c delete cm --all

say "completion knows what there is"
c apply -n shelf -f - >/dev/null <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"book"}}'
has book c __complete get configmaps -n shelf ''
has shelf c __complete delete namespace ''
expect '' c __complete get nonsense ''

say "configuration"
refuses 'no kubeconfig' env -u KUBECONFIG HOME=/nonexistent "$cd_bin" get pods
code 1 env -u KUBECONFIG HOME=/nonexistent "$cd_bin" get pods
expect "export KUBECONFIG='$data/admin.kubeconfig'" c kubeconfig --data-dir "$data"
stop_server
code 1 c get pods
refuses '127.0.0.1:6443' c get pods
say passed
