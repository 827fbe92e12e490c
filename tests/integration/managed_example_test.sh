#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The C++ example of the README, built as a user would build it: it runs, prints docker ps, and leaves nothing.
set -euo pipefail
: "${BERTH_RUNSC:?run scripts/setup, then eval \"\$(scripts/setup --print)\"}" "${BERTH_TEST_ROOTFS:?as BERTH_RUNSC}" "${BERTH_BUILD:?set by ctest}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BERTH_ROOT=$work/state BERTH_RUNSC
"$BERTH_BUILD/bin/managed" "$BERTH_TEST_ROOTFS" >"$work/out" 2>"$work/err" || {
  cat "$work/out" "$work/err"
  exit 1
}
grep -q '^CONTAINER ID' "$work/out"
grep -q '^INF docker daemon is ready and accepting commands retry_count=[0-9]' "$work/err"
left=$(find "$BERTH_ROOT" -mindepth 1 -maxdepth 1 ! -name '.*')
[[ -z $left ]] || { echo "left behind: $left"; exit 1; }
