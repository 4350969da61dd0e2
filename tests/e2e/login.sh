#!/usr/bin/env bash
# People and machines: OpenID Connect with a provider in another language, token files, certificates on request.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
command -v curl >/dev/null && command -v openssl >/dev/null || skip "no curl, no openssl"
setup
c() { "$cd_bin" "$@"; }
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

say "a provider of OpenID Connect"
mkdir "$work/idp"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/idp.key" -out "$work/idp.crt" -days 1 -subj /CN=idp \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
openssl genrsa -out "$work/sign.key" 2048 2>/dev/null
cat >"$work/idp.py" <<'PY'
import http.server, json, ssl, subprocess, sys
work = sys.argv[1]
n = subprocess.run(["openssl", "rsa", "-in", work + "/sign.key", "-noout", "-modulus"], capture_output=True, text=True).stdout
import base64
n = base64.urlsafe_b64encode(bytes.fromhex(n.strip().split("=")[1])).decode().rstrip("=")
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("openid-configuration"): d = {"issuer": url, "jwks_uri": url + "/keys"}
        else: d = {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1", "n": n, "e": "AQAB"}]}
        body = json.dumps(d).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
x = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); x.load_cert_chain(work + "/idp.crt", work + "/idp.key")
s.socket = x.wrap_socket(s.socket, server_side=True)
url = "https://127.0.0.1:%d" % s.server_port
print(url, flush=True)
s.serve_forever()
PY
mkfifo "$work/idp.url"
python3 "$work/idp.py" "$work" >"$work/idp.url" &
read -r idp <"$work/idp.url"
id_token() { # CLAIMS
	local text; text=$(printf '{"alg":"RS256","kid":"k1"}' | b64).$(printf '{"iss":"%s","aud":"cd",%s}' "$idp" "$1" | b64)
	printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 -sign "$work/sign.key" -binary | b64)"
}

printf 'file-token,joe,7,"ops,devs"\n' >"$work/tokens"
cat >"$work/policy.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: RequestResponse, verbs: [create], resources: [{group: authentication.k8s.io, resources: [selfsubjectreviews]}]}
- {level: Metadata, resources: [{group: certificates.k8s.io}]}
YAML
serve --audit-log-path "$work/audit.log" --audit-policy-file "$work/policy.yaml" --token-auth-file "$work/tokens" --oidc-issuer-url "$idp" --oidc-client-id cd --oidc-ca-file "$work/idp.crt" \
	--oidc-groups-claim groups --oidc-groups-prefix oidc:
who() { # TOKEN: the name and groups that the server sees, or the status
	curl -sS --max-time 20 --cacert "$data/pki/ca.crt" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' \
		-X POST -d '{}' "$url/apis/authentication.k8s.io/v1/selfsubjectreviews" | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["code"] if "code" in d else d["status"]["userInfo"]["username"] + " " + ",".join(d["status"]["userInfo"]["groups"]))'
}
good='"exp":99999999999,"sub":"jane","groups":["devs"]'
expect "$idp#jane oidc:devs,system:authenticated" who "$(id_token "$good")"
expect 401 who "$(id_token '"exp":1,"sub":"jane"')"
expect 401 who "$(id_token "$good" | sed 's/.....$/AAAAA/')"
openssl genrsa -out "$work/sign.key" 2048 2>/dev/null
expect 401 who "$(id_token "$good")"

say "tokens of a file"
expect 'joe ops,devs,system:authenticated' who file-token
expect 401 who file-toke

say "a machine joins: a bootstrap token, a request, a certificate"
c apply -f - <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: bootstrap-token-abcdef, namespace: kube-system}
type: bootstrap.kubernetes.io/token
stringData: {token-id: abcdef, token-secret: 0123456789abcdef, usage-bootstrap-authentication: "true"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: join}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:node-bootstrapper"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers"}]
YAML
openssl ecparam -name prime256v1 -genkey -noout -out "$work/node.key"
openssl req -new -key "$work/node.key" -subj /O=system:nodes/CN=system:node:n2 -out "$work/node.csr"
cat >"$work/csr.json" <<JSON
{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"n2"},"spec":{
 "signerName":"kubernetes.io/kube-apiserver-client-kubelet","usages":["client auth"],"request":"$(openssl base64 -A <"$work/node.csr")"}}
JSON
expect 201 curl -sS --cacert "$data/pki/ca.crt" -H 'Authorization: Bearer abcdef.0123456789abcdef' -H 'Content-Type: application/json' \
	-d "@$work/csr.json" -o /dev/null -w '%{http_code}' "$url/apis/certificates.k8s.io/v1/certificatesigningrequests"
expect system:bootstrap:abcdef c get csr n2 -o jsonpath='{.spec.username}'
if [ -x "$tools/kubectl" ]; then
	"$tools/kubectl" certificate approve n2
else
	curl -sS --cacert "$data/pki/ca.crt" --cert "$data/pki/admin.crt" --key "$data/pki/admin.key" -X PATCH -o /dev/null \
		-H 'Content-Type: application/merge-patch+json' -d '{"status":{"conditions":[{"type":"Approved","status":"True"}]}}' \
		"$url/apis/certificates.k8s.io/v1/certificatesigningrequests/n2/approval"
fi
c get csr n2 -o jsonpath='{.status.certificate}' | openssl base64 -d -A >"$work/node.crt"
openssl verify -CAfile "$data/pki/ca.crt" "$work/node.crt" >/dev/null
has '"username":"system:node:n2"' curl -sS --cacert "$data/pki/ca.crt" --cert "$work/node.crt" --key "$work/node.key" -X POST \
	-H 'Content-Type: application/json' -d '{}' "$url/apis/authentication.k8s.io/v1/selfsubjectreviews"

say "who did all this"
stop_server
expect "joe system:bootstrap:abcdef admin" python3 - "$work/audit.log" <<'PY'
import json, sys
events = [json.loads(l) for l in open(sys.argv[1])]
joe = [e for e in events if e["user"].get("username") == "joe"]
assert joe[0]["responseObject"]["status"]["userInfo"]["uid"] == "7", joe
assert [e for e in events if e["responseStatus"]["code"] == 401 and not e["user"]], "no failed login"
made = [e for e in events if e["verb"] == "create" and e.get("objectRef", {}).get("resource") == "certificatesigningrequests"]
assert "requestObject" not in made[0], made
approved = [e for e in events if e.get("objectRef", {}).get("subresource") == "approval"]
print(joe[0]["user"]["username"], made[0]["user"]["username"], approved[-1]["user"]["username"])
PY

say "options that do not go together"
refuses 'unknown field "verb"' "$cd_bin" serve --data-dir "$data" --no-node --audit-log-path - \
	--audit-policy-file <(sed 's/verbs/verb/' "$work/policy.yaml")
refuses 'needs --oidc-client-id' "$cd_bin" serve --data-dir "$data" --no-node --oidc-issuer-url https://127.0.0.1:1
refuses 'https://' "$cd_bin" serve --data-dir "$data" --no-node --oidc-issuer-url http://127.0.0.1:1 --oidc-client-id x
refuses 'token-auth-file' "$cd_bin" serve --data-dir "$data" --no-node --token-auth-file "$work/none"
say passed
