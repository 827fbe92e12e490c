#!/usr/bin/env bash
# The host kills the process that runs dockerd in the sandbox (its OOM killer may): dockerd itself lives on inside. The
# restart ends that one first, and Docker is ready again.
set -euo pipefail
: "${BERTH_RUNSC:?run scripts/setup, then eval \"\$(scripts/setup --print)\"}" "${BERTH_TEST_ROOTFS:?as BERTH_RUNSC}" "${BERTH_BUILD:?set by ctest}"
berth=$BERTH_BUILD/bin/berth
work=$(mktemp -d)
export BERTH_ROOT=$work/state
trap '"$berth" -q rm lost >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

fail() {
  echo "$1"
  "$berth" status lost || true
  "$berth" logs lost --daemon | tail -n 20 || true
  exit 1
}

"$berth" -q run -d --id lost --rootfs "$BERTH_TEST_ROOTFS" --docker --wait >/dev/null
client=
for process in /proc/[0-9]*; do
  words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
  case $words in
    *"--root=$BERTH_ROOT/lost/run "*" exec "*berth-docker*) client=${process#/proc/} ;;
  esac
done
[[ -n $client ]] || fail "the client of dockerd was not found"
kill -KILL "$client"

for _ in $(seq 300); do
  state=$("$berth" status lost --json)
  if [[ $state == *'"restarts": 1'* && $state == *'"state": "ready"'* ]]; then
    break
  fi
  sleep 0.1
done
[[ $state == *'"restarts": 1'* ]] || fail "dockerd was not restarted: $state"
"$berth" docker lost -- ps >/dev/null || fail "docker does not answer"
alive=$("$berth" exec lost -- sh -c 'for f in /proc/[0-9]*/comm; do read -r name <"$f" && [ "$name" = dockerd ] && echo "$f"; done; true' | wc -l)
[[ $alive == 1 ]] || fail "$alive dockerds run"
