#!/usr/bin/env bash
# A branch is a namespace, or a label in one: branches are pushed, changed and deleted, have names of all kinds, and remotes
# break and lie.
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

# One line for each preview of a set: branch, namespace, sync, health.
previews() { # SET
	"$cd_bin" get applications -n cd -l preview=true -o json | python3 -c "
import json, sys
for o in json.load(sys.stdin)['items']:
    if o['metadata']['ownerReferences'][0]['name'] == sys.argv[1]:
        print(o['metadata']['annotations']['preview/branch'], o['spec']['destination']['namespace'],
              o.get('status', {}).get('sync', {}).get('status'), o.get('status', {}).get('health', {}).get('status'))" "$1"; }
namespace_of() { previews previews | awk -v b="$1" '$1 == b { print $2 }'; }
answers_at() { # NAMESPACE SERVICE TEXT
	local ip
	ip=$("$cd_bin" get service "$2" -n "$1" -o jsonpath='{.spec.clusterIP}') || return 1
	expect "$3" curl -fsS --max-time 2 "http://$ip/"
}
answers() { answers_at "$(namespace_of "$1")" demo "$2"; }                          # BRANCH TEXT
n_previews() { expect "$2" eval "previews $1 | wc -l"; }                             # SET COUNT
ask_again() { "$cd_bin" patch applicationset "$1" -n cd --type merge -p "{\"metadata\":{\"annotations\":{\"asked\":\"$RANDOM$RANDOM\"}}}" >/dev/null; }
message_of() { "$cd_bin" get applicationset "$1" -n cd -o json | python3 -c "
import json, sys
print([c['message'] for c in json.load(sys.stdin)['status']['conditions'] if c['type'] == 'ErrorOccurred' and c['status'] == 'True'])"; }

say "branches with names of all kinds; two slug alike"
long=$(printf 'x%.0s' {1..200})
for branch in feature/a_b feature/a-b 'feature/ÄÖ_x--y' "$long"; do
	git checkout -q -b "$branch" main
	page "page of ${branch:0:14}"
	git push origin "$branch" >"$work/push.log" 2>&1 || { cat "$work/push.log"; fail "the push of $branch"; }
	has "is healthy" cat "$work/push.log"
	poll 30 answers "$branch" "page of ${branch:0:14}"
done
n_previews previews 4
expect 4 eval "previews previews | awk '{ print \$2 }' | sort -u | wc -l"
has feature/a-b "$cd_bin" preview list
has http://127.0.0.1: "$cd_bin" preview list
refuses 'not found' "$cd_bin" preview delete nothing
for branch in feature/a_b feature/a-b 'feature/ÄÖ_x--y' "$long"; do
	answers "$branch" "page of ${branch:0:14}"
done
refuses 'invalid refspec' git push -q origin HEAD:refs/heads/../../etc

say "a push to one changes only that one"
versions() { for b in feature/a_b 'feature/ÄÖ_x--y' "$long"; do "$cd_bin" get deployment demo -n "$(namespace_of "$b")" -o jsonpath='{.metadata.generation}{.metadata.uid} '; done; }
before=$(versions)
git checkout -q feature/a-b
page changed
git push -q origin feature/a-b
poll 30 answers feature/a-b changed
expect "$before" versions
answers feature/a_b "page of feature/a_b"

say "a deleted branch takes everything of its own along"
gone=$(namespace_of feature/a-b)
git push -q origin --delete feature/a-b
poll 60 refuses 'not found' "$cd_bin" get namespace "$gone" -o name
poll 30 n_previews previews 3
no_objects() { local found; for kind in pods services deployments replicasets configmaps; do
	found=$("$cd_bin" get "$kind" -n "$gone" -o name 2>/dev/null) && [ -n "$found" ] && { echo "$found"; return 1; }; done; return 0; }
no_objects
answers feature/a_b "page of feature/a_b"

say "one namespace, a label for each branch"
"$cd_bin" apply -f "$source_dir/examples/previews/labels.yaml"
poll 30 n_previews branches 3
label_of() { "$cd_bin" get applications -n cd -o json | python3 -c "
import json, sys
print([o['spec']['source']['kustomize']['commonLabels']['branch'] for o in json.load(sys.stdin)['items']
       if o['metadata']['name'].startswith('label-') and o['metadata']['annotations']['preview/branch'] == sys.argv[1]][0])" "$1"; }
for branch in feature/a_b 'feature/ÄÖ_x--y' "$long"; do
	poll 60 answers_at shop-branches "demo-$(label_of "$branch")" "page of ${branch:0:14}"
done
slug=$(label_of 'feature/ÄÖ_x--y')
has "$slug" "$cd_bin" get pods -n shop-branches -l "branch=$slug" -o name
pods=$("$cd_bin" get pods -n shop-branches -l "branch=$(label_of feature/a_b)" -o name | sort)
git push -q origin --delete 'feature/ÄÖ_x--y'
poll 60 expect "" "$cd_bin" get pods,services,deployments,configmaps -n shop-branches -l "branch=$slug" -o name
poll 30 n_previews branches 2
poll 30 n_previews previews 2
expect "$pods" eval "'$cd_bin' get pods -n shop-branches -l 'branch=$(label_of feature/a_b)' -o name | sort"
# Each preview is listed with its own address.
expect 1 eval "'$cd_bin' preview list | awk '\$1 == \"label-$(label_of feature/a_b)\"' | grep -o 'http://' | wc -l"
"$cd_bin" delete applicationset branches -n cd
poll 60 expect "" eval "previews branches"

say "a branch that no node has room for: the pusher reads why, until the branch is deleted"
git checkout -q -b greedy main
sed -i 's/cpu: 100m/cpu: "10000"/' deployment.yaml
page greedy
git push origin greedy >"$work/greedy.log" 2>&1 &
push=$!
poll 60 has 'Insufficient cpu' cat "$work/greedy.log"
git push -q origin --delete greedy
wait $push || { cat "$work/greedy.log"; fail "the push"; }
has 'is gone, with what it had made' cat "$work/greedy.log"
poll 30 n_previews previews 2

say "two sets that generate the same name: the second says so and changes nothing"
sed 's/^  name: previews$/  name: thieves/' "$source_dir/examples/previews/applicationset.yaml" | "$cd_bin" apply -f -
poll 30 has "does not belong to this set" message_of thieves
n_previews previews 2
n_previews thieves 0
"$cd_bin" delete applicationset thieves -n cd
poll 30 refuses 'not found' "$cd_bin" get applicationset thieves -n cd
answers feature/a_b "page of feature/a_b"

say "branch names that are put where only slugs fit: an error that names the branch, and no application"
sed 's/^  name: previews$/  name: raw/; s/  name: shop-.*/  name: raw-{{ .branch }}/' "$source_dir/examples/previews/applicationset.yaml" | "$cd_bin" apply -f -
poll 30 has "'raw-feature/a_b', which is not a name" message_of raw
n_previews raw 0

say "a repository that cannot be read deletes nothing"
mv "$data/git/repos/shop.git" "$data/git/repos/away"
ask_again previews
poll 30 has 'generator branches: ' message_of previews
n_previews previews 2
answers feature/a_b "page of feature/a_b"
mv "$data/git/repos/away" "$data/git/repos/shop.git"
ask_again previews
poll 30 expect '[]' message_of previews

say "a remote that goes away deletes nothing, one that lies about its branches gets nowhere"
cat >"$work/liar.py" <<'PY'
# Answers /info/refs of git's smart protocol with the lines of a file, "SHA NAME".
import http.server, sys
def packet(text): return f"{len(text.encode()) + 4:04x}".encode() + text.encode()
class Liar(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        refs = open(sys.argv[1]).read().splitlines()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.end_headers()
        self.wfile.write(packet("# service=git-upload-pack\n") + b"0000")
        for i, line in enumerate(refs):
            self.wfile.write(packet(line + ("\0agent=liar\n" if i == 0 else "\n")))
        self.wfile.write(b"0000")
    def do_POST(self):
        self.send_error(503)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
print(server.server_port, flush=True)
server.serve_forever()
PY
sha=$(git rev-parse main)
printf '%s\n' "$sha refs/heads/good" "$sha refs/heads/../../etc" "$sha refs/heads/b/../../c" "$sha refs/heads/-x" >"$work/refs"
mkfifo "$work/port"
python3 "$work/liar.py" "$work/refs" >"$work/port" &
liar=$!
read -r port <"$work/port"
sed "s/^  name: previews\$/  name: remote/; s/name: shop-/name: remote-/; s/namespace: shop-/namespace: remote-/; s#repoURL: .*#repoURL: http://127.0.0.1:$port/shop.git#" \
	"$source_dir/examples/previews/applicationset.yaml" | "$cd_bin" apply -f -
poll 30 n_previews remote 2
has "good remote-good" previews remote

[ ! -e "$data/etc" ] && [ ! -e "$data/git/etc" ] || fail "a branch's name has left its place"
kill "$liar"; wait "$liar" 2>/dev/null || true
ask_again remote
poll 30 has 'cannot be read' message_of remote
n_previews remote 2
say passed
