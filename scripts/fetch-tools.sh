#!/usr/bin/env bash
# Unpacks Debian packages whose programs the tests run beside ours, without installing them (no services, no conflicts):
#   scripts/fetch-tools.sh DIR      gives DIR/usr/bin/{kubectl,prometheus,docker-registry,...}
set -euo pipefail
dir=$1
mkdir -p "$dir/packages"
cd "$dir"
for p in kubernetes-client prometheus docker-registry; do
	[ ! -e "packages/$p.done" ] || continue
	if ! (cd packages && apt-get download -qq "$p" 2>/dev/null || { apt-get update -qq && apt-get download -qq "$p"; }); then
		echo "cannot download $p: the tests that need it will be skipped" >&2
		continue
	fi
	dpkg -x packages/"${p}"_*.deb .
	rm packages/"${p}"_*.deb
	touch "packages/$p.done"
done
