#!/usr/bin/env bash
# From nothing to a running demo on a fresh Debian 12 machine: installs packages, builds, serves, pushes, waits.
#
#   ./quickstart.sh [--data-dir DIR] [--listen HOST:PORT] [--once]
#
# Ctrl-C stops everything and cleans up. --once stops after the demo has answered (what the test does).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/scripts/packages.sh"

data=$PWD/.cd-data
listen=127.0.0.1:6443
once=
while [ $# -gt 0 ]; do
	case $1 in
	--data-dir) data=$(realpath -m "$2"); shift 2 ;;
	--listen) listen=$2; shift 2 ;;
	--once) once=1; shift ;;
	-h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "quickstart.sh: unknown option $1; see --help" >&2; exit 2 ;;
	esac
done

steps=7
step() {
	count=$((${count:-0} + 1))
	printf '[%d/%d] %s\n' "$count" "$steps" "$1"
}

server=
work=$(mktemp -d)
cleanup() {
	trap - EXIT INT TERM
	if [ -n "$server" ]; then
		echo "stopping"
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
		"$cd" reset --data-dir "$data" || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT TERM

unset GIT_SSL_CAINFO GIT_SSL_CAPATH      # they would outrank what is configured for this server below
cd=$here/build/bin/cd
# shellcheck disable=SC2086
{
	step "packages"
	install_packages $BUILD_PACKAGES $RUN_PACKAGES
	step "build"
	cmake --preset release -S "$here" >"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
	cmake --build "$here/build" --target cd
}

step "server"
mkdir -p "$data"
mkfifo "$work/ready"
"$cd" serve --data-dir "$data" --listen "$listen" >"$work/ready" 2>"$data/serve.log" &
server=$!
read -r line <"$work/ready" || { cat "$data/serve.log" >&2; echo "the server did not start" >&2; exit 1; }
echo "$line"
export KUBECONFIG=$data/admin.kubeconfig

step "image demo:v1 from examples/image/Containerfile"
mkdir "$work/image"
cp "$here/examples/image/Containerfile" /bin/busybox "$work/image/"
"$cd" image build --data-dir "$data" -t demo:v1 -f "$work/image/Containerfile" "$work/image"

step "application"
"$cd" apply -f "$here/examples/demo-application.yaml"

step "git push"
if [ ! -d "$data/demo" ]; then
	cp -r "$here/examples/demo" "$data/demo"
	git -C "$data/demo" init -q -b main
	git -C "$data/demo" config user.name demo
	git -C "$data/demo" config user.email demo@localhost
	git -C "$data/demo" config http.sslCAInfo "$data/pki/ca.crt"
	git -C "$data/demo" config http.sslCert "$data/pki/admin.crt"
	git -C "$data/demo" config http.sslKey "$data/pki/admin.key"
	git -C "$data/demo" remote add origin "https://$listen/git/demo.git"
	git -C "$data/demo" add -A
	git -C "$data/demo" commit -q -m "version 1"
fi
git -C "$data/demo" push -q origin main

step "waiting until it is healthy"
"$cd" app wait demo --timeout 60s
url=http://127.0.0.1:30080
curl -fsS --max-time 5 "$url" >"$work/answer"

cat <<TEXT

It runs:            $url
Look at it:         KUBECONFIG=$data/admin.kubeconfig $cd app get demo
Change and push:    sed -i 's/version 1/version 2/' $data/demo/index.html && git -C $data/demo commit -qam "version 2" && git -C $data/demo push origin main
Typed as \`cd app get demo\` at a prompt, after:  eval "\$($cd shell-init)"
TEXT
[ -z "$once" ] || exit 0
echo "Ctrl-C stops all of it and cleans up."
wait "$server"
