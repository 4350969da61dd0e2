#!/usr/bin/env bash
# Service accounts: a pod finds the API with what it is given, and a token dies with what it is bound to.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
command -v curl >/dev/null || skip "no curl"
setup
serve
busybox_image box:1
c() { "$cd_bin" "$@"; }
ca=$data/pki/ca.crt
as() { curl -sS --max-time 10 --cacert "$ca" -H "Authorization: Bearer $1" "${@:2}"; }     # TOKEN ARGS...
code() { as "$1" -o /dev/null -w '%{http_code}' "$url$2"; }                                  # TOKEN PATH
admin() { curl -sS --max-time 10 --cacert "$ca" --cert "$data/pki/admin.crt" --key "$data/pki/admin.key" "$@"; }
token_for() { # ACCOUNT JSON-SPEC
	admin -X POST -H 'Content-Type: application/json' "$url/api/v1/namespaces/default/serviceaccounts/$1/token" \
		-d "{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":$2}" |
		python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["status"]["token"] if "token" in d.get("status", {}) else d)'
}
claim() { python3 -c '
import base64, json, sys
p = sys.argv[1].split(".")[1]
d = json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)))
for k in sys.argv[2].split("/"): d = d[k]
print(json.dumps(d, sort_keys=True))' "$@"; }

cat >"$work/account.yaml" <<'YAML'
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
YAML
c apply -f "$work/account.yaml"

say "a token that was asked for"
token=$(token_for reader '{}')
expect 200 code "$token" /api/v1/namespaces/default/pods
expect 403 code "$token" /api/v1/namespaces/default/secrets
expect 403 code "$token" /api/v1/namespaces/kube-system/pods
expect '"system:serviceaccount:default:reader"' claim "$token" sub
has 'less than 10 minutes' token_for reader '{"expirationSeconds":10}'
expect 401 code "${token%?????}AAAAA" /api/v1/namespaces/default/pods
other=$(token_for reader '{"audiences":["vault"]}')
expect '["vault"]' claim "$other" aud
expect 401 code "$other" /api/v1/namespaces/default/pods

say "others check it without asking: discovery and keys"
expect 403 code "$(token_for reader '{}')" /metrics
has '"issuer":"https://kubernetes.default.svc.cluster.local"' as "$token" "$url/.well-known/openid-configuration"
has '"kty":"EC"' as "$token" "$url/openid/v1/jwks"
expect 403 curl -sS --cacert "$ca" -o /dev/null -w '%{http_code}' "$url/openid/v1/jwks"

say "it goes on over a restart, and ends with its account"
stop_server
serve
expect 200 code "$token" /api/v1/namespaces/default/pods
c delete serviceaccount reader
expect 401 code "$token" /api/v1/namespaces/default/pods
c apply -f "$work/account.yaml"
expect 401 code "$token" /api/v1/namespaces/default/pods

say "a Secret with a token, as before Kubernetes 1.24"
c apply -f - <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: long, annotations: {kubernetes.io/service-account.name: reader}}
type: kubernetes.io/service-account-token
YAML
long=$(c get secret long -o jsonpath='{.data.token}' | base64 -d)
expect 200 code "$long" /api/v1/namespaces/default/pods
c delete secret long
expect 401 code "$long" /api/v1/namespaces/default/pods

say "a pod reaches the API with nothing but what it is given"
cat >"$work/pod.yaml" <<YAML
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  serviceAccountName: reader
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: box:1
    command: [/bin/sh, -c, 'while :; do sleep 1; done']
  - name: cd
    image: box:1
    env: [{name: LD_LIBRARY_PATH, value: /usr/lib}]
    command: [/program/cd, get, pods, -o, name]
    volumeMounts:
    - {name: program, mountPath: /program}
    - {name: usr, mountPath: /usr}
    - {name: lib, mountPath: /lib}
    - {name: lib64, mountPath: /lib64}
  volumes:
  - {name: program, hostPath: {path: "$(dirname "$(readlink -f "$cd_bin")")"}}
  - {name: usr, hostPath: {path: /usr}}
  - {name: lib, hostPath: {path: "$(readlink -f /lib)"}}
  - {name: lib64, hostPath: {path: "$(readlink -f /lib64)"}}
YAML
c apply -f "$work/pod.yaml"
poll 40 has client c logs client -c cd
volume=$(c get pod client -o jsonpath='{.spec.volumes[4].name}')
uid=$(c get pod client -o jsonpath='{.metadata.uid}')
dir=$data/node/pods/$uid/volumes/$volume
expect default cat "$dir/namespace"
expect "$(cat "$ca")" cat "$dir/ca.crt"
mounted=$(cat "$dir/token")
expect "\"$uid\"" claim "$mounted" kubernetes.io/pod/uid
expect '"node1"' claim "$mounted" kubernetes.io/node/name
expect 200 code "$mounted" /api/v1/namespaces/default/pods
c delete pod client
refuses 'not found' c get pod client
expect 401 code "$mounted" /api/v1/namespaces/default/pods

say "every namespace has the CA"
c create namespace apart
poll 10 expect "$(cat "$ca")" c get configmap -n apart kube-root-ca.crt -o jsonpath='{.data.ca\.crt}'
say passed
