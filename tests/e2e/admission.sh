#!/usr/bin/env bash
# What the API refuses and changes on the way in, as kubectl sees it: rules of custom kinds, policies, webhooks, plugins.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
[ -x "$tools/kubectl" ] || skip "no kubectl in build/tools: run scripts/fetch-tools.sh build/tools"
command -v python3 >/dev/null && command -v openssl >/dev/null || skip "needs python3 and openssl"
setup
serve
k=$tools/kubectl

# ---- rules in the schema of a custom kind ----
crd() { # RULE
	cat <<YAML
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: jars.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: jars, kind: Jar}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Least, type: integer, jsonPath: .spec.least}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: "$1", message: least is above most}
            properties: {least: {type: integer}, most: {type: integer, default: 5}}
YAML
}
jar() { printf '{"apiVersion":"example.org/v1","kind":"Jar","metadata":{"name":"%s"},"spec":{"least":%d}}' "$1" "$2"; }
refuses "undefined field 'lest'" "$k" create -f <(crd 'self.lest <= self.most')
"$k" create -f <(crd 'self.least <= self.most')
"$k" wait --for condition=Established --timeout 30s crd/jars.example.org
poll 20 has jars "$k" api-resources --api-group example.org
refuses 'spec: Invalid value: "object": least is above most' "$k" create -f <(jar bad 6)
"$k" create -f <(jar good 4)
has '4' "$k" get jars.example.org good --no-headers
say "rules of custom kinds"

# ---- a policy ----
"$k" apply -f - <<'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: owned}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  validations: [{expression: "has(object.metadata.labels) && 'owner' in object.metadata.labels", message: somebody has to own it}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: owned}
spec:
  policyName: owned
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: owned}}}
YAML
"$k" create namespace owned
refuses "ValidatingAdmissionPolicy 'owned' with binding 'owned' denied request: somebody has to own it" \
	"$k" create configmap -n owned a
"$k" create configmap a
"$k" delete validatingadmissionpolicy owned
"$k" create configmap -n owned a
say "policies"

# ---- a webhook ----
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$work/hook.key" -out "$work/hook.crt" 2>/dev/null
cat >"$work/hook.py" <<'PY'
import base64, http.server, json, ssl, sys
class Hook(http.server.BaseHTTPRequestHandler):
	def do_POST(self):
		request = json.loads(self.rfile.read(int(self.headers["content-length"])))["request"]
		answer = {"uid": request["uid"], "allowed": request["name"] != "bad"}
		if request["name"] == "bad":
			answer["status"] = {"message": "bad is no name"}
		elif self.path.startswith("/mutate"):
			patch = [{"op": "add", "path": "/data", "value": {"by": request["userInfo"]["username"]}}]
			answer.update(patchType="JSONPatch", patch=base64.b64encode(json.dumps(patch).encode()).decode())
		body = json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": answer}).encode()
		self.send_response(200)
		self.send_header("content-type", "application/json")
		self.send_header("content-length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)
	def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/hook.crt", sys.argv[1] + "/hook.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
mkfifo "$work/hook.port"
python3 "$work/hook.py" "$work" >"$work/hook.port" &
read -r port <"$work/hook.port"
for kind in Mutating Validating; do
	"$k" apply -f - <<YAML
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}WebhookConfiguration
metadata: {name: hook}
webhooks:
- name: hook.example.org
  clientConfig: {url: "https://127.0.0.1:$port/${kind/Mutating/mutate}", caBundle: "$(base64 -w 0 "$work/hook.crt")"}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
  sideEffects: None
  admissionReviewVersions: [v1]
YAML
done
refuses 'admission webhook "hook.example.org" denied the request: bad is no name' "$k" create configmap bad
"$k" create configmap hooked
expect admin "$k" get configmap hooked -o 'jsonpath={.data.by}'
"$k" delete mutatingwebhookconfiguration hook
"$k" patch validatingwebhookconfiguration hook --type json \
	-p '[{"op": "replace", "path": "/webhooks/0/clientConfig", "value": {"service": {"name": "gone", "namespace": "default"}}}]'
refuses 'failed calling webhook "hook.example.org"' "$k" create configmap unasked
"$k" delete validatingwebhookconfiguration hook
"$k" create configmap unasked
say "webhooks"

# ---- plugins ----
"$k" create namespace strict
"$k" label namespace strict pod-security.kubernetes.io/enforce=baseline pod-security.kubernetes.io/warn=restricted
pod() { printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"hostNetwork":%s,"containers":[{"name":"x","image":"none:1"}]}}' "$1" "$2"; }
refuses 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' "$k" create -n strict -f <(pod bad true)
has 'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false' "$k" create -n strict -f <(pod warned false)
expect 0 "$k" get pod -n strict warned -o 'jsonpath={.spec.priority}'
say passed
