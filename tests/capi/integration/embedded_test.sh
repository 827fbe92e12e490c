#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# examples/c/embedded.c on real runsc and dockerd, in a sandbox of its own making.
set -euo pipefail
program=$1
: "${BERTH_RUNSC:?is not set}" "${BERTH_TEST_ROOTFS:?is not set}"
work=$(mktemp -d /tmp/berth-capi-XXXXXX)
id=berth-capi-example-$$
end() {
  "$BERTH_RUNSC" --root="$work/state/runsc" delete --force "$id" >/dev/null 2>&1 || true
  umount "$work/state/runsc/null-netns" 2>/dev/null || true # runsc 2026-09 leaves it to whoever made its root
  rm -rf "$work"
}
trap end EXIT
mkdir -p "$work/bundle" "$work/state/log"
python3 - "$BERTH_TEST_ROOTFS" >"$work/bundle/config.json" <<'PYTHON'
import json, sys
json.dump({
    "ociVersion": "1.1.0",
    "process": {"cwd": "/", "args": ["sleep", "600"], "user": {"uid": 0, "gid": 0},
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
    "root": {"path": sys.argv[1]}, "hostname": "embedded",
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
    "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount", "network")]}}, sys.stdout)
PYTHON
"$program" "$BERTH_RUNSC" "$work/bundle" "$work/state" "$id" >"$work/out" 2>"$work/err" || {
  cat "$work/out" "$work/err" >&2
  exit 1
}
cat "$work/out" "$work/err"
grep -q '^Docker [0-9].* on ' "$work/out"
grep -q '^INF docker daemon is ready and accepting commands' "$work/err"
if "$BERTH_RUNSC" --root="$work/state/runsc" list -quiet | grep -q .; then
  echo "a container is left" >&2
  exit 1
fi
