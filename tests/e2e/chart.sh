#!/usr/bin/env bash
# `cd chart`: made, checked, packed and shared through a registry and a chart repository; and Applications that use both.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
[ -x "$tools/docker-registry" ] || skip "needs docker-registry: scripts/fetch-tools.sh build/tools"
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config DOCKER_CONFIG=$work/docker
unset HELM_CACHE_HOME HELM_CONFIG_HOME HELM_REPOSITORY_CONFIG HELM_REGISTRY_CONFIG CD_REGISTRY_PASSWORD
cd "$work"
registry=127.0.0.1:5000 repository=http://127.0.0.1:8080
status() { local got=0; "$@" >"$work/out" 2>&1 || got=$?; echo $got; }

start_registry() { # DIRECTORY PORT [HTPASSWD]: in a network of its own, so the port is free
	{
		printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$1" "$2"
		[ -z "${3:-}" ] || printf 'auth: {htpasswd: {realm: test, path: %s}}\n' "$3"
	} >"$work/registry-$2.yml"
	"$tools/docker-registry" serve "$work/registry-$2.yml" >"$work/registry-$2.log" 2>&1 &
	poll 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/$2"
}
publish() { # VERSION: a package of the chart web with this version, in the repository
	"$cd_bin" chart package web --version "$1" -d repository >/dev/null
	"$cd_bin" chart repo index repository
}

say "a new chart has nothing wrong with it, in either language"
"$cd_bin" chart create web
"$cd_bin" chart create --helm charts/hweb
refuses "is there already" "$cd_bin" chart create web
refuses "not a name" "$cd_bin" chart create We_b
has "2 chart(s) linted, 0 chart(s) failed" "$cd_bin" chart lint --strict web charts/hweb
expect "$("$cd_bin" render charts/hweb --set ingress.enabled=true | grep -c '^kind:')" \
	bash -c "'$cd_bin' render web --set ingress.enabled=true | grep -c '^kind:'"

say "the same input gives the same passwords, unless fresh ones are asked for"
cp -r charts/hweb random
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: {{ randAlphaNum 20 }}}\n' >random/templates/secret.yaml
expect "$("$cd_bin" render random)" "$cd_bin" render random
[ "$("$cd_bin" render --random random)" != "$("$cd_bin" render --random random)" ] || fail "--random gives the same twice"

say "a Helm chart converted to Lua renders to the same"
"$cd_bin" chart convert -d converted charts/hweb
grep -q '{{= include("hweb.fullname", dot) }}' converted/templates/deployment.yaml
expect "$("$cd_bin" render charts/hweb --set ingress.enabled=true,env.A=1)" "$cd_bin" render converted --set ingress.enabled=true,env.A=1
refuses "is there already" "$cd_bin" chart convert -d converted charts/hweb

say "lint names what is wrong"
cp -r charts/hweb broken
sed -i 's/replicas:/replcas:/' broken/templates/deployment.yaml
has "unknown field \"spec.replcas\"" "$cd_bin" chart lint broken
expect 1 status "$cd_bin" chart lint --strict broken
printf '{{ .Values.nothing.at.all }}' >broken/templates/x.yaml
expect 1 status "$cd_bin" chart lint -o json broken
python3 - "$work/out" <<'PY'
import json, sys
[chart] = json.load(open(sys.argv[1]))
assert chart["failed"] and any("broken/templates/x.yaml:1:" in m["message"] or "hweb/templates/x.yaml:1:" in m["message"] for m in chart["messages"]), chart
PY

say "the same files give the same package"
"$cd_bin" chart package web -d one
touch -d 2001-01-01 web/values.yaml
"$cd_bin" chart package web -d two
cmp one/web-0.1.0.tgz two/web-0.1.0.tgz
expect "$("$cd_bin" render web)" "$cd_bin" render one/web-0.1.0.tgz

say "a registry: push, pull by range, show"
start_registry "$work/registry" 5000
for v in 0.1.0 0.2.0 0.3.0+build.1 1.0.0-rc.1; do
	"$cd_bin" chart package web --version "$v" -d dist >/dev/null
	has "Digest: sha256:" "$cd_bin" chart push "dist/web-$v.tgz" "oci://$registry/team"
done
"$cd_bin" chart pull "oci://$registry/team/web" -d pulled
cmp dist/web-0.3.0+build.1.tgz pulled/web-0.3.0+build.1.tgz
"$cd_bin" chart pull "oci://$registry/team/web" --version '~0.2' -d pulled -o json >out.json
python3 -c 'import json; r = json.load(open("out.json")); assert r["version"] == "0.2.0" and r["path"] == "pulled/web-0.2.0.tgz", r'
"$cd_bin" chart pull "oci://$registry/team/web:0.1.0" --untar -d pulled
diff -r web/templates pulled/web/templates
expect "version: 1.0.0-rc.1" bash -c "'$cd_bin' chart show chart 'oci://$registry/team/web' --devel | grep ^version"
has "release-name-web" "$cd_bin" render "oci://$registry/team/web" --version 0.1.0
refuses "no version of chart 'web' is in '>=2'" "$cd_bin" chart pull "oci://$registry/team/web" --version '>=2'
refuses "0.3.0+build.1, 0.2.0, 0.1.0" "$cd_bin" chart pull "oci://$registry/team/web" --version '>=2'
refuses "has no" "$cd_bin" chart pull "oci://$registry/team/nothing" --version 1.0.0

say "a registry that wants a login"
"$cd_bin" render --expr '{{ htpasswd "anna" "se:cret" }}' >htpasswd
start_registry "$work/private" 5001 "$work/htpasswd"
private=127.0.0.1:5001
refuses "no credentials were given" "$cd_bin" chart push dist/web-0.1.0.tgz "oci://$private/team"
has Pushed "$cd_bin" chart push --username anna --password se:cret dist/web-0.1.0.tgz "oci://$private/team"
mkdir docker
printf '{"auths": {"%s": {"auth": "%s"}}}' "$private" "$(printf 'anna:se:cret' | base64 -w0)" >docker/config.json
"$cd_bin" chart pull "oci://$private/team/web" -d private-pull
cmp dist/web-0.1.0.tgz private-pull/web-0.1.0.tgz

say "a chart repository: index, pull, dependencies"
mkdir repository
for v in 0.1.0 0.2.0; do publish $v; done
python3 -m http.server --bind 127.0.0.1 8080 -d repository >"$work/http.log" 2>&1 &
poll 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080'
"$cd_bin" chart pull --repo $repository web -d from-http
cmp repository/web-0.2.0.tgz from-http/web-0.2.0.tgz
refuses "did you mean 'web'" "$cd_bin" chart pull --repo $repository webb
mkdir -p config/helm
printf 'repositories:\n- {name: local, url: "%s"}\n' $repository >config/helm/repositories.yaml
has "version: 0.1.0" "$cd_bin" chart show chart local/web --version 0.1.0
expect "$("$cd_bin" render repository/web-0.2.0.tgz)" "$cd_bin" render local/web

mkdir -p shop/templates common/templates
cat >shop/Chart.yaml <<YAML
apiVersion: v2
name: shop
version: 1.0.0
dependencies:
- {name: web, version: ^0.1, repository: "@local", alias: front}
- {name: web, version: 0.2.x, repository: "oci://$registry/team", alias: back}
- {name: common, version: ">=0", repository: "file://../common"}
YAML
printf 'apiVersion: v2\nname: common\nversion: 0.5.0\ntype: library\n' >common/Chart.yaml
printf 'return { name = function(x) return "shop-" .. x end }\n' >common/templates/_naming.lua
refuses "missing in charts/" "$cd_bin" render shop
expect missing bash -c "'$cd_bin' chart dependency list shop | awk '\$1 == \"common\" { print \$NF }'"
"$cd_bin" chart dependency update shop
expect "common-0.5.0.tgz web-0.1.0.tgz web-0.2.0.tgz" bash -c 'echo $(ls shop/charts)'
expect "ok ok ok" bash -c "echo \$('$cd_bin' chart dependency list shop -o json | python3 -c 'import json, sys; print(*[d[\"status\"] for d in json.load(sys.stdin)])')"
cp shop/Chart.lock lock
"$cd_bin" chart dependency update shop
cmp lock shop/Chart.lock
has "release-name-front" "$cd_bin" render shop
has "release-name-back" "$cd_bin" render shop
rm -r shop/charts
"$cd_bin" chart dependency build shop
expect "common-0.5.0.tgz web-0.1.0.tgz web-0.2.0.tgz" bash -c 'echo $(ls shop/charts)'
rm -r shop/charts
has "release-name-back" "$cd_bin" render --dependency-update shop
sed -i 's/0.2.x/0.1.x/' shop/Chart.yaml
refuses "not of these dependencies any more" "$cd_bin" chart dependency build shop
if command -v helm >/dev/null; then
	say "helm agrees with packages, registry and lock"
	"$cd_bin" chart package charts/hweb -d one
	has "2 chart(s) linted, 0 chart(s) failed" helm lint one/hweb-0.1.0.tgz charts/hweb
	expect "$(helm template one/hweb-0.1.0.tgz)" "$cd_bin" render one/hweb-0.1.0.tgz
	"$cd_bin" chart push one/hweb-0.1.0.tgz "oci://$registry/team"
	helm pull --plain-http "oci://$registry/team/hweb" --version 0.1.0
	cmp one/hweb-0.1.0.tgz hweb-0.1.0.tgz
	cp -r shop locked
	sed -i '/oci:/d' locked/Chart.yaml
	"$cd_bin" chart dependency update locked
	helm dependency build locked >helm.log 2>&1 || { cat helm.log; fail "helm does not take Chart.lock"; }
fi

say "an Application whose source is a chart repository"
serve --no-node
app() { # NAME SPEC...: an Application with these lines of source
	local name=$1; shift
	{
		printf 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: %s, namespace: cd}\nspec:\n  project: default\n' "$name"
		printf '  destination: {name: in-cluster, namespace: %s}\n' "$name"
		printf '  syncPolicy: {automated: {}, syncOptions: [CreateNamespace=true]}\n  source:\n'
		printf '    %s\n' "$@"
	} | "$cd_bin" apply -f -
}
image_of() { "$cd_bin" get deployment -n "$1" "$2" -o jsonpath="{.metadata.labels['helm.sh/chart']} {.spec.replicas}"; }
app plain "repoURL: $repository" "chart: web" "targetRevision: '>=0.1'" "helm: {parameters: [{name: replicas, value: '3'}]}"
poll 120 expect "web-0.2.0 3" image_of plain plain-web
expect 0.2.0 "$cd_bin" get application plain -n cd -o jsonpath='{.status.sync.revision}'

say "a new version in the range is deployed when it is looked for"
publish 0.2.1
"$cd_bin" annotate application plain -n cd argocd.argoproj.io/refresh=normal --overwrite
poll 120 expect "web-0.2.1 3" image_of plain plain-web

say "charts of registries, as Argo CD names them and by address"
app named "repoURL: $registry/team" "chart: web" "targetRevision: 0.1.0"
app address "repoURL: oci://$registry/team/web" "targetRevision: ~0.2.0"
poll 120 expect "web-0.1.0 1" image_of named named-web
poll 120 expect "web-0.2.0 1" image_of address address-web

say "what is not there is told"
app absent "repoURL: $repository" "chart: web" "targetRevision: '9.9.9'"
poll 120 has "9.9.9" "$cd_bin" get application absent -n cd -o jsonpath='{.status.conditions[*].message}'

say "a chart in git whose dependencies are elsewhere, and helmCharts of a kustomization"
mkdir repo
cp -r shop repo/shop
rm -rf repo/shop/charts repo/shop/Chart.lock
printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: web, version: 0.1.0, repository: "%s"}\n' $repository >repo/shop/Chart.yaml
mkdir repo/kustomized
printf 'helmCharts:\n- {name: web, repo: "%s", version: 0.1.0, releaseName: k}\n' $repository >repo/kustomized/kustomization.yaml
git -C repo init -q
git -C repo add -A; git -C repo commit -qm charts
git -C repo push -q "$url/git/charts.git" HEAD:main
app umbrella "repoURL: /git/charts.git" "path: shop"
app kustomized "repoURL: /git/charts.git" "path: kustomized"
poll 120 expect "web-0.1.0 1" image_of umbrella umbrella-web
poll 120 expect "web-0.1.0 1" image_of kustomized k-web

say "values of a chart of a repository from git"
git init -q settings
mkdir settings/envs
printf 'replicas: 4\n' >settings/envs/prod.yaml
git -C settings add -A; git -C settings commit -qm envs
{
	printf 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: both, namespace: cd}\nspec:\n  project: default\n'
	printf '  destination: {name: in-cluster, namespace: both}\n  syncPolicy: {automated: {}, syncOptions: [CreateNamespace=true]}\n  sources:\n'
	printf '  - {repoURL: "%s", chart: web, targetRevision: 0.2.0, helm: {valueFiles: ["$values/envs/prod.yaml"]}}\n' $repository
	printf '  - {repoURL: "%s", targetRevision: main, ref: values}\n' "$work/settings"
} | "$cd_bin" apply -f -
poll 120 expect "web-0.2.0 4" image_of both both-web
sed -i 's/4/5/' settings/envs/prod.yaml
git -C settings commit -qam five
"$cd_bin" annotate application both -n cd argocd.argoproj.io/refresh=normal --overwrite
poll 120 expect "web-0.2.0 5" image_of both both-web
say passed
