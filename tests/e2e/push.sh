#!/usr/bin/env bash
# The whole way: a real git push to a real server, real containers behind a real virtual address.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
serve
busybox_image web:1 'WORKDIR /www
ENTRYPOINT ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]'

kubectl() { "$cd_bin" "$@"; }
jsonpath() { "$cd_bin" get "$1" "$2" -n "$3" -o json | python3 -c "
import json, sys
o = json.load(sys.stdin)
for step in sys.argv[1].split('.'):
    o = o[int(step)] if step.isdigit() else o.get(step, '')
print(o)" "$4"; }

say "a repository with a Deployment, a Service and a page"
repo=$work/repo
cp -r "$source_dir/examples/demo" "$repo"
cd "$repo"
sed -i 's/^- name: demo$/- name: demo\n  newName: web/; s/newTag: v1/newTag: "1"/' kustomization.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\ndata:\n  key: value\n' >extra.yaml
sed -i 's/^- service.yaml/- service.yaml\n- extra.yaml/' kustomization.yaml
git init -q
git remote add origin "$url/git/demo.git"
page() { printf '%s\n' "$1" >index.html; git add -A; git commit -qm "$1"; }
page one

"$cd_bin" apply -f "$source_dir/examples/demo-application.yaml"
say "push one"
git push origin main 2>&1 | tee "$work/push1.log"
poll 30 expect one curl -fsS --max-time 1 http://127.0.0.1:30080/
"$cd_bin" app wait demo --timeout 30s
has Healthy "$cd_bin" app get demo
has healthy cat "$work/push1.log"
vip=$(jsonpath service demo demo spec.clusterIP)
expect one curl -fsS --max-time 2 "http://$vip/"

say "push two, under a client that asks every 10 ms"
probe "http://$vip/" "$work/probe.json" 10
page two
git push -q origin main
poll 30 expect two curl -fsS --max-time 1 "http://$vip/"
"$cd_bin" app wait demo --timeout 30s
poll 30 expect 2 jsonpath deployment demo demo status.readyReplicas
poll 30 expect 2 jsonpath deployment demo demo status.replicas
kill "$prober"; wait "$prober" || true
python3 - "$work/probe.json" <<'PY'
import json, sys
p = json.load(open(sys.argv[1]))
print("requests", p["requests"], "answers", p["answers"], "failed", len(p["failed"]))
assert not p["failed"], p["failed"][:5]
assert set(p["answers"]) == {"one", "two"}, p["answers"]
PY

say "a removed file is pruned"
sed -i '/extra.yaml/d' kustomization.yaml
git rm -qf extra.yaml; git add -A; git commit -qm "without extra"
has extra "$cd_bin" get configmaps -n demo
git push -q origin main
poll 30 refuses extra "$cd_bin" get configmap extra -n demo -o name

say "a deleted Deployment comes back"
uid=$(jsonpath deployment demo demo metadata.uid)
"$cd_bin" delete deployment demo -n demo
recreated() { local now; now=$(jsonpath deployment demo demo metadata.uid) && [ -n "$now" ] && [ "$now" != "$uid" ]; }
poll 30 recreated
poll 30 expect 2 jsonpath deployment demo demo status.readyReplicas

say "a changed replica count is mended"
printf 'spec:\n  replicas: 5\n' >"$work/patch.yaml"
"$cd_bin" patch deployment demo -n demo --type merge -p '{"spec":{"replicas":5}}'
poll 60 expect 2 jsonpath deployment demo demo spec.replicas
poll 30 expect 2 jsonpath deployment demo demo status.replicas

say "a killed container is started again"
poll 30 web_servers_are 2
pid=$(web_servers | head -n 1)
kill -9 "$pid"
restarted() { "$cd_bin" get pods -n demo -o json | grep -q '"restartCount": 1'; }
poll 30 restarted
poll 30 expect 2 jsonpath deployment demo demo status.readyReplicas

say "a push that does not render leaves what runs, and says why"
cp kustomization.yaml "$work/good.yaml"
printf 'resources:\n- nowhere.yaml\n' >>kustomization.yaml
git commit -qam broken
git push origin main 2>&1 | tee "$work/push-broken.log" || true
has nowhere cat "$work/push-broken.log"
expect two curl -fsS --max-time 2 "http://$vip/"
has nowhere "$cd_bin" app get demo
cp "$work/good.yaml" kustomization.yaml
git commit -qam mended
git push -q origin main
poll 30 has Synced "$cd_bin" app get demo

say "kill -9 of the server at each point of a sync, then a restart, converges"
expect_alive() { curl -fsS --max-time 2 "http://$vip/" >/dev/null; }
for point in 1 2 4 6; do        # after so many lines of what the pusher is told
	page "killed at $point"
	mkfifo "$work/told.$point"
	git push origin main >"$work/told.$point" 2>&1 &
	push=$!
	head -n "$point" <"$work/told.$point"
	stop_server KILL
	wait "$push" || true
	poll 5 expect_alive
	serve
	git push -q origin main || true         # when it was killed before the branch had moved
	poll 60 expect "killed at $point" curl -fsS --max-time 1 "http://$vip/"
	"$cd_bin" app wait demo --timeout 60s
done

say "SIGTERM leaves containers running; a restart adopts them"
poll 30 web_servers_are 2      # what ends from the last rollout has ended
before=$(web_servers)
stop_server TERM
expect_alive
serve
"$cd_bin" app wait demo --timeout 30s
expect "$before" web_servers

say "deleting the Application removes what it made"
"$cd_bin" delete application demo -n cd
poll 60 refuses demo "$cd_bin" get deployment demo -n demo -o name
poll 60 web_servers_are 0
say passed
