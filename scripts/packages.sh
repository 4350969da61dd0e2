# scripts/packages.sh - the Debian 12 packages, in one place; sourced by quickstart.sh, test.sh and .ci/run.
# docs/decisions/0002-dependencies.md says why each is there.

BUILD_PACKAGES="build-essential cmake ninja-build pkg-config ccache mold linux-libc-dev
	libuv1-dev libssl-dev libnghttp2-dev libcurl4-openssl-dev libgit2-dev libjansson-dev libyaml-dev libpcre2-dev
	liblua5.4-dev libsqlite3-dev libarchive-dev libzstd-dev zlib1g-dev libdeflate-dev libseccomp-dev libcap-dev
	libmnl-dev libutf8proc-dev libmd-dev libwslay-dev libjq-dev libcmocka-dev"
RUN_PACKAGES="ca-certificates git openssh-client busybox-static curl"
TEST_PACKAGES="python3 python3-yaml nftables iproute2 zsh procps"

# install PACKAGE...: those that are missing, quietly; prints what it does.
install_packages() {
	local missing="" p

	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "these packages are missing, and only root can install them:$missing" >&2
		return 1
	fi
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
