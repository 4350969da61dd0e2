#!/usr/bin/env bash
# Bad input gets one clear error, a non-zero exit, and changes nothing.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve
c() { "$cd_bin" "$@"; }
manifest() { cat >"$work/m.yaml"; }

say "unknown fields and wrong types name file, line and field"
manifest <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replica: 2
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers: [{name: c, image: i}]
YAML
refuses 'm.yaml:6' c apply -f "$work/m.yaml"
refuses 'replica' c apply -f "$work/m.yaml"
sed -i 's/replica: 2/replicas: two/' "$work/m.yaml"
refuses 'spec.replicas' c apply -f "$work/m.yaml"
refuses 'not found' c get deployment web

say "YAML that does not parse"
printf 'a: [1\nb: 2\n' >"$work/broken.yaml"
refuses 'broken.yaml:2' c apply -f "$work/broken.yaml"
refuses 'broken.yaml:2' c render "$work/broken.yaml"

say "a kustomization cycle"
mkdir -p "$work/a" "$work/b"
echo 'resources: [../b]' >"$work/a/kustomization.yaml"
echo 'resources: [../a]' >"$work/b/kustomization.yaml"
refuses cycle c render "$work/a"

say "a template error names its line in the template"
mkdir -p "$work/chart/templates"
printf 'apiVersion: v2\nname: x\nversion: 0.1.0\n' >"$work/chart/Chart.yaml"
printf 'local v = ...\nreturn { kind = nothing.at.all }\n' >"$work/chart/templates/x.lua"
refuses 'templates/x.lua:2' c render "$work/chart"

say "a missing image and an unreachable repository show in status"
manifest <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: lost}
spec:
  containers: [{name: c, image: "127.0.0.1:1/nowhere:1"}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: lost, namespace: cd}
spec:
  project: default
  source: {repoURL: "http://127.0.0.1:1/nowhere.git", path: .}
  destination: {server: "https://kubernetes.default.svc", namespace: default}
  syncPolicy: {automated: {}}
YAML
c apply -f "$work/m.yaml"
poll 30 has ImagePull c get pods
poll 30 has '127.0.0.1' c app get lost

say "a webhook with a wrong signature, an oversized body"
post() { curl -sS -o "$work/body" -w '%{http_code}' --cacert "$data/pki/ca.crt" "$@"; }
c apply -f - <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, namespace: cd}
stringData: {webhook.github.secret: right}
YAML
printf '{"ref":"refs/heads/main","repository":{"html_url":"https://example.com/a/b"}}' >"$work/event.json"
sign() { printf 'sha256=%s' "$(openssl dgst -sha256 -hmac "$1" -r "$work/event.json" | cut -d' ' -f1)"; }
hook() { post -H 'X-GitHub-Event: push' -H 'Content-Type: application/json' -H "X-Hub-Signature-256: $(sign "$1")" --data-binary "@$work/event.json" "$url/api/webhook"; }
poll 10 expect 401 hook wrong
poll 10 expect 200 hook right
has signature cat "$work/serve.log"
head -c 60000000 /dev/zero >"$work/big"
expect 413 post -H 'X-GitHub-Event: push' -H 'Expect:' --data-binary "@$work/big" "$url/api/webhook"
expect 413 post --cert "$data/pki/admin.crt" --key "$data/pki/admin.key" -H 'Expect:' --data-binary "@$work/big" "$url/api/v1/namespaces/default/configmaps"

say "a full disk: writes fail clearly, reads go on, nothing is corrupted"
stop_server
mkdir "$work/small"
mount -t tmpfs -o size=24m tmpfs "$work/small"
cp -r "$data/pki" "$work/small/"
(
	data=$work/small KUBECONFIG=$work/small/admin.kubeconfig
	trap - EXIT
	serve --no-node --listen 127.0.0.1:6444
	c create configmap before --from-literal=a=b 2>/dev/null || c apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"before"},"data":{"a":"b"}}'
	dd if=/dev/zero of="$work/small/fill" bs=64k 2>/dev/null || true
	refuses 'space' c apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"during"},"data":{"a":"'"$(head -c 200000 /dev/zero | tr '\0' x)"'"}}'
	has before c get configmap before
	rm "$work/small/fill"
	poll 10 c apply -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"after"},"data":{"a":"b"}}'
	stop_server
)
umount "$work/small"
say passed
