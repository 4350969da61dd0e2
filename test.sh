#!/usr/bin/env bash
# Installs what is needed, builds, and runs every test: unit, conformance, end to end.
#
#   ./test.sh [CTEST-OPTIONS]        for example: ./test.sh -L unit     ./test.sh -R e2e/push
set -euo pipefail
cd "$(dirname "$0")"
. scripts/packages.sh

echo "== packages"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $RUN_PACKAGES $TEST_PACKAGES
echo "== tools from Debian that are not installed, only unpacked: build/tools"
scripts/fetch-tools.sh build/tools
echo "== build"
cmake --preset release >/dev/null
cmake --build build
echo "== tests"
ctest --test-dir build --output-on-failure -j2 "$@"
