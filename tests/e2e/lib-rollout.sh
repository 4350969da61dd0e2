# tests/e2e/lib-rollout.sh - for tests of Rollouts that are pushed: the images of examples/rollouts, a repository with an
# Application "demo", and clients.

rollout_images() { # VERSION...: web:VERSION; 3 answers nothing but errors
	local dir=$work/rollout-image v
	cp -r "$source_dir/examples/rollouts/image" "$dir"
	cp /bin/busybox "$dir/busybox"
	for v; do
		"$cd_bin" image build --data-dir "$data" -t "web:$v" --build-arg "VERSION=$v" --build-arg "BROKEN=$([ "$v" != 3 ] || echo 1)" "$dir" \
			>"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "the image web:$v cannot be built"; }
	done
}

# EXAMPLE: a repository with this file, and an Application that follows it. The current directory is in it from now on.
rollout_repository() {
	mkdir "$work/repo"
	cp "$1" "$work/repo/web.yaml"
	cd "$work/repo"
	git init -q
	git remote add origin "$url/git/demo.git"
	"$cd_bin" apply -f "$source_dir/examples/demo-application.yaml"
}
commit() { git add -A; git commit -qm "$1"; }
version() { sed -i "s/image: web:.*/image: web:$1/" web.yaml; commit "version $1"; }     # NUMBER
# Python that changes the documents of web.yaml: `by_kind` has them, `steps` is the list of the Rollout's steps.
edit() {
	python3 - "$1" <<'PY'
import sys, yaml
docs = list(yaml.safe_load_all(open("web.yaml")))
by_kind = {d["kind"]: d for d in docs}
steps = by_kind["Rollout"]["spec"]["strategy"]["canary"]["steps"]
exec(sys.argv[1])
yaml.safe_dump_all(docs, open("web.yaml", "w"), sort_keys=False)
PY
}

rollout_state() { "$cd_bin" get rollout web -n demo -o 'jsonpath={.status.phase} {.status.message}'; }
app_health() { "$cd_bin" get application demo -n cd -o 'jsonpath={.status.health.status} {.status.health.message}'; }
address_of() { "$cd_bin" get service "$1" -n demo -o 'jsonpath={.spec.clusterIP}'; }
# SERVICE N TEXT: N new connections all get this answer.
all_answer() {
	python3 - "$(address_of "$1")" "$2" "$3" <<'PY'
import http.client, sys
ip, n, want = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for i in range(n):
    c = http.client.HTTPConnection(ip, 80, timeout=5)
    c.request("GET", "/")
    r = c.getresponse()
    got = f"{r.status} {r.read().decode().strip()}"
    c.close()
    if got != f"200 {want}":
        sys.exit(f"request {i}: want 200 {want}, got {got}")
PY
}
