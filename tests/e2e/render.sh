#!/usr/bin/env bash
# `cd render` with what is outside of the tree: the live cluster, files over HTTPS, revisions of git, a person who edits.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
cd "$work"
c() { "$cd_bin" "$@"; }
code() { # WANTED COMMAND...: exits with it; what it printed is in `out`
	local wanted=$1 got=0; shift
	"$@" >"$work/out" 2>"$work/said" || got=$?
	[ $got = "$wanted" ] || { echo "want exit $wanted, got $got from: $*: $(cat "$work/out" "$work/said")"; return 1; }
}

mkdir -p base prod
cat >base/all.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: hello}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: from-the-vault}
YAML
echo 'resources: [all.yaml]' >base/kustomization.yaml
overlay() { printf 'resources: [../base]\nnamePrefix: prod-\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n' >prod/kustomization.yaml; }
overlay

say "what a render does not need is not loaded"
LD_DEBUG=files c render prod >rendered 2>loaded
has prod-settings cat rendered
has 'calling init' cat loaded
if grep -E 'calling init: .*/lib(curl|git2|archive|sqlite3|ssl|crypto)\.so' loaded; then
	fail "a plain render loads these"
fi

say "output: JSON, a file, a directory"
has '"name": "prod-settings"' c render prod -o json
c render prod -o out.yaml
cmp out.yaml rendered
mkdir files
c render prod -o files
expect 'v1_configmap_prod-settings.yaml v1_secret_prod-key.yaml' eval 'ls files | grep -v made | xargs'
printf 'resources: [../base, apart.yaml]\n' >prod/kustomization.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Apart, namespace: shelf}\n' >prod/apart.yaml
mkdir several
c render prod -o several
expect 'default_v1_configmap_settings.yaml default_v1_secret_key.yaml shelf_v1_configmap_apart.yaml' eval 'ls several | xargs'
overlay

say "the live cluster: what applying would change, and nothing is changed"
serve --no-node
code 1 c render base --diff live
has '+ ConfigMap/settings' cat out
c apply -f base/all.yaml
code 0 c render base --diff live
expect '' cat out
sed -i 's/hello/good morning/; s/from-the-vault/from-elsewhere/' base/all.yaml
code 1 c render base --diff live
has 'data.greeting: "hello" -> "good morning"' cat out
has '~ Secret/key' cat out
if grep -E 'vault|elsewhere|ZnJvbS' out; then fail "a secret is shown"; fi
expect hello c get configmap settings -o 'jsonpath={.data.greeting}'
c apply -f base/all.yaml
code 0 c render base --diff live

say "who else sets fields of an object is no difference"
c patch configmap settings -p '{"data": {"other": "theirs"}}'
code 0 c render base --diff live

say "files over HTTPS: the authority is that of SSL_CERT_FILE"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout web.key -out web.csr 2>/dev/null
openssl x509 -req -in web.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out web.crt \
	-extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') 2>/dev/null
mkdir -p site remote
cp base/all.yaml site/
cat >web.py <<'PY'
import http.server, os, ssl, sys
os.chdir("site")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("../web.crt", "../web.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
mkfifo port.fifo
python3 web.py >port.fifo 2>web.log &
web=$!
read -r port <port.fifo || fail "the web server did not start: $(cat web.log)"
printf 'resources: ["https://127.0.0.1:%s/all.yaml"]\nnamePrefix: far-\n' "$port" >remote/kustomization.yaml
refuses certificate c render remote
has 'name: far-settings' env SSL_CERT_FILE="$work/ca.crt" "$cd_bin" render remote
printf 'resources: ["https://127.0.0.1:%s/absent.yaml"]\n' "$port" >remote/kustomization.yaml
refuses 'absent.yaml: status 404' env SSL_CERT_FILE="$work/ca.crt" "$cd_bin" render remote
kill "$web"
wait "$web" 2>/dev/null || true

say "revisions: of the directory itself, and of a base that a URL names"
git init -q repo
mkdir -p repo/app
cp base/all.yaml repo/app/
echo 'resources: [all.yaml]' >repo/app/kustomization.yaml
git -C repo add -A
git -C repo commit -q -m one
git -C repo tag v1
sed -i 's/good morning/good night/' repo/app/all.yaml
git -C repo commit -q -a -m two
has 'good morning' c render repo/app@v1
has 'good night' c render repo/app
code 1 c render repo/app --diff repo/app@v1
has 'data.greeting: "good morning" -> "good night"' cat out
printf 'resources: ["file://%s/repo//app?ref=v1"]\n' "$work" >remote/kustomization.yaml
has 'good morning' c render remote
printf 'resources: ["file://%s/repo//app?ref=v9"]\n' "$work" >remote/kustomization.yaml
refuses v9 c render remote

say "--watch: renders again after each change, also after a mistake"
c render prod --watch >watched 2>mistakes &
watcher=$!
poll 60 has 'good morning' cat watched
sed -i 's/good morning/good evening/' base/all.yaml
poll 60 has 'good evening' cat watched
echo 'metadata: {' >base/all.yaml
poll 60 has 'base/all.yaml' cat mistakes
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mended}\n' >base/all.yaml
poll 60 has 'prod-mended' cat watched
kill "$watcher"
wait "$watcher" 2>/dev/null || true
say "a chart as for helm template: NAME CHART, a file for each template, the orchestrator's kinds"
mkdir -p web/templates
printf 'apiVersion: v2\nname: web\nversion: 1.0.0\n' >web/Chart.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {k: {{ .Capabilities.KubeVersion }}}\n' >web/templates/a.yaml
printf 'apiVersion: example.org/v1\nkind: Odd\nmetadata: {name: odd}\n' >web/templates/odd.yaml
has 'name: shop' c render shop web
has 'k: v1.20.0' c render web -s templates/a.yaml
has 'k: v1.30.0' c render web -s templates/a.yaml --validate
refuses 'no matches for kind "Odd"' c render web --validate
has 'wrote sources/shop/web/templates/a.yaml' c render shop web --output-dir sources --release-name
has 'name: shop' cat sources/shop/web/templates/a.yaml
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: {{ randAlphaNum 20 }}}\n' >web/templates/odd.yaml
[ "$(c render web)" = "$(c render web)" ]
[ "$(c render web --random)" != "$(c render web --random)" ]
say passed
