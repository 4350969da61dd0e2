#!/usr/bin/env bash
# A branch is a namespace: three are pushed, one is changed, one is deleted, and the remote is broken.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve
busybox_image web:1 'WORKDIR /www
ENTRYPOINT ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]'

say "a repository whose service has no fixed port"
repo=$work/repo
cp -r "$source_dir/examples/demo" "$repo"
cd "$repo"
sed -i 's/^- name: demo$/- name: demo\n  newName: web/; s/newTag: v1/newTag: "1"/' kustomization.yaml
sed -i '/nodePort/d' service.yaml
git init -q
git remote add origin "$url/git/shop.git"
page() { printf '%s\n' "$1" >index.html; git add -A; git commit -qm "$1"; }
page main
"$cd_bin" apply -f "$source_dir/examples/previews/applicationset.yaml"
git push -q origin main

field() { "$cd_bin" get applications -n cd -l preview=true -o json | python3 -c "
import json, sys
for o in json.load(sys.stdin)['items']:
    print(o['metadata']['annotations']['preview/branch'], o['spec']['destination']['namespace'],
          o.get('status', {}).get('sync', {}).get('status'), o.get('status', {}).get('health', {}).get('status'))"; }
namespace_of() { field | awk -v b="$1" '$1 == b { print $2 }'; }
answers() { # BRANCH TEXT
	local ip
	ip=$("$cd_bin" get service demo -n "$(namespace_of "$1")" -o jsonpath='{.spec.clusterIP}') || return 1
	expect "$2" curl -fsS --max-time 2 "http://$ip/"
}

say "three branches, two of which slug alike"
for branch in feature/a_b feature/a-b "fix-$(printf 'x%.0s' {1..150})"; do
	git checkout -q -b "$branch" main
	page "page of ${branch:0:12}"
	git push origin "$branch" 2>&1 | tee "$work/push.log"
	has "is healthy" cat "$work/push.log"
	poll 20 answers "$branch" "page of ${branch:0:12}"
done
expect 3 bash -c "$(declare -f field); cd_bin=$cd_bin; field | awk '{ print \$2 }' | sort -u | wc -l"
has feature/a-b "$cd_bin" preview list
has http://127.0.0.1: "$cd_bin" preview list
refuses 'not found' "$cd_bin" preview delete nothing

say "a push to one changes only that one"
before=$("$cd_bin" get deployment demo -n "$(namespace_of feature/a_b)" -o jsonpath='{.metadata.resourceVersion}')
git checkout -q feature/a-b
page changed
git push -q origin feature/a-b
poll 20 answers feature/a-b changed
expect "$before" "$cd_bin" get deployment demo -n "$(namespace_of feature/a_b)" -o jsonpath='{.metadata.resourceVersion}'

say "a deleted branch takes everything of its own along"
gone=$(namespace_of feature/a-b)
git push -q origin --delete feature/a-b
poll 60 refuses "$gone" "$cd_bin" get namespace "$gone" -o name
expect "" namespace_of feature/a-b
answers feature/a_b "page of feature/a_b"

say "a remote that cannot be read deletes nothing"
mv "$data/git/repos/shop.git" "$data/git/repos/away"
"$cd_bin" patch applicationset previews -n cd --type merge -p '{"metadata":{"annotations":{"touched":"1"}}}'
complains() { "$cd_bin" get applicationset previews -n cd -o json | grep -q '"ApplicationGenerationError"'; }
poll 20 complains
expect 2 bash -c "$(declare -f field); cd_bin=$cd_bin; field | wc -l"
answers feature/a_b "page of feature/a_b"
say passed
