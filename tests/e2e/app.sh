#!/usr/bin/env bash
# `cd app` against a real server: what a sync would change, syncs by hand, history, the way back, deletion.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve --no-node
repo=$work/repo
mkdir "$repo"
cd "$repo"
git init -q
git remote add origin "$url/git/shop.git"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {text: one}\n' >page.yaml
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hush}\n' >key.yaml
git add -A; git commit -qm one
status() { local got=0; "$@" >"$work/out" 2>&1 || got=$?; echo $got; }

say "create, and a push that nobody syncs"
"$cd_bin" app create shop --repo /git/shop.git --dest-namespace shop --sync-option CreateNamespace=true
has "syncs by hand" git push origin main
has OutOfSync "$cd_bin" app list
expect 4 status "$cd_bin" app wait shop --timeout 100ms

say "diff shows what a sync would do, and no secret"
expect 1 status "$cd_bin" app diff shop
has "+  text: one" cat "$work/out"
refuses "" grep -q hush "$work/out"
"$cd_bin" app diff shop -o json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) == 2'

say "sync, and nothing is left to do"
has Succeeded "$cd_bin" app sync shop
expect 0 status "$cd_bin" app diff shop
"$cd_bin" app wait shop --timeout 5s
expect one "$cd_bin" get configmap page -n shop -o jsonpath='{.data.text}'

say "a field set by hand is shown and goes with the next sync"
"$cd_bin" patch configmap page -n shop --type merge -p '{"data":{"text":"by hand"}}'
expect 1 status "$cd_bin" app diff shop
has "-  text: by hand" cat "$work/out"
has Succeeded "$cd_bin" app sync shop --resource :ConfigMap:page
expect one "$cd_bin" get configmap page -n shop -o jsonpath='{.data.text}'

say "history and the way back"
sed -i 's/one/two/' page.yaml; git rm -qf key.yaml; git commit -qam two
git push -q origin main
has Succeeded "$cd_bin" app sync shop --prune
refuses "not found" "$cd_bin" get secret key -n shop
expect 2 bash -c "'$cd_bin' app history shop -o json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'"
has Succeeded "$cd_bin" app rollback shop
expect one "$cd_bin" get configmap page -n shop -o jsonpath='{.data.text}'
has OutOfSync "$cd_bin" app get shop

say "what cannot be done says why"
expect 3 status "$cd_bin" app get nowhere
expect 3 status "$cd_bin" app rollback shop 77
expect 2 status "$cd_bin" app sync
expect 5 status "$cd_bin" app sync shop --revision nowhere
has "'nowhere' is not a branch or a tag" cat "$work/out"
"$cd_bin" patch application shop -n cd --type merge -p '{"spec":{"syncPolicy":{"automated":{}}}}'
expect 1 status "$cd_bin" app rollback shop 0
has "auto-sync is enabled" cat "$work/out"

say "deletion takes along what was made"
"$cd_bin" app delete shop --timeout 20s
expect "" "$cd_bin" get configmap page -n shop --ignore-not-found -o name
say passed
