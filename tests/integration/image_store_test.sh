#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Images that sandboxes have from one data root of the host's (examples/command/image-store): they run, may be changed, built upon and
# removed inside, also in a sandbox that goes on from a snapshot, and the data root stays as it is.
set -euo pipefail
hint='run scripts/setup, then eval "$(scripts/setup --print)"'
: "${BERTH_RUNSC:?$hint}" "${BERTH_TEST_ROOTFS:?$hint}" "${BERTH_TEST_IMAGE:?$hint}" "${BERTH_BUILD:?set by ctest}"
store=$(cd "$(dirname "$0")/../../examples/command" && pwd)/image-store
work=$(mktemp -d /tmp/berth-store.XXXXXX)  # short: unix sockets lie below it
export BERTH_ROOT=$work/state BERTH_RUNSC

berth() { "$BERTH_BUILD/bin/berth" -q "$@"; }
end() {
  local ids
  mapfile -t ids < <(berth ls --ids)
  ((${#ids[@]} == 0)) || berth rm -f "${ids[@]}" >/dev/null
  rm -rf --one-file-system "$work"
}
trap end EXIT
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
same() { [[ $1 == "$2" ]] || fail "$3 is
$1
and must be
$2"; }
started() { berth run -d --wait --id "$1" "${@:2}" >/dev/null; }
listed() { find "$data/berth-data-root" -printf '%P %i %m %U %s %T@ %C@ %l\n' | sort; }

# Directories that hide what is below them, as BuildKit leaves them: its steps' upper directories become layers as they are.
data=$work/data
mkdir "$data"
started prepared --rootfs "$BERTH_TEST_ROOTFS" --docker --data-root "$data"
berth docker prepared -- load <"$BERTH_TEST_IMAGE" >/dev/null
berth exec prepared -- sh -c 'mkdir /build && cat >/build/Dockerfile' <<'DOCKERFILE'
FROM busybox:latest
RUN mkdir -p /kept/below /gone && touch /kept/old /kept/below/old /gone/old /other
RUN rm -r /kept /gone && mkdir -p /kept/below && touch /kept/below/new
DOCKERFILE
berth exec prepared -- sh -c 'DOCKER_BUILDKIT=1 docker build -q -t hiding:1 /build' >/dev/null
berth docker prepared -- run --name left busybox:latest touch /of-a-container
berth rm prepared >/dev/null
marks=$(python3 - "$data" <<'PROGRAM'
import os, sys
print(sum("user.overlay.opaque" in os.listxattr(top, follow_symlinks=False) for top, _, _ in os.walk(sys.argv[1]) if top.endswith("/diff/kept")))
PROGRAM
)
((marks >= 2)) || fail "no directory of the built layers is opaque any more: this test shows nothing"

made=$("$store" "$data" "$BERTH_TEST_ROOTFS")
read -ra options <<<"${made//$'\n'/ }"
before=$(listed)
want=$'/kept\n/kept/below\n/kept/below/new\n/other'
shown='find /kept /gone /other 2>/dev/null | sort'

started one --rootfs "$BERTH_TEST_ROOTFS" --docker "${options[@]}"
started two --rootfs "$BERTH_TEST_ROOTFS" --docker "${options[@]}"
for id in one two; do
  same "$(berth docker $id -- run --rm hiding:1 sh -c "$shown")" "$want" "what a container of $id sees"
done
same "$(berth docker one -- ps -aq)" "" "the list of containers"

# A snapshot of it has no layers in it, and goes on with those of the store.
berth snapshot one saved >/dev/null
started three --from saved
same "$(berth docker three -- run --rm hiding:1 sh -c "$shown")" "$want" "what a container sees after a snapshot"

for id in one three; do
  berth docker $id -- run --name changed hiding:1 sh -c 'rm -r /kept; echo 1 >/other; mkdir -p /kept; chmod 700 /bin; mv /etc /moved'
  berth docker $id -- commit changed upon:1 >/dev/null
  same "$(berth docker $id -- run --rm upon:1 sh -c "$shown")" $'/kept\n/other' "a commit upon it in $id"
  berth exec $id -- sh -c 'mkdir /build && printf "FROM hiding:1\nRUN rm /other && touch /kept/more\n" >/build/Dockerfile'
  for kit in 0 1; do
    berth exec $id -- sh -c "DOCKER_BUILDKIT=$kit docker build -q -t built:$kit /build" >/dev/null
    same "$(berth docker $id -- run --rm built:$kit sh -c "$shown")" $'/kept\n/kept/below\n/kept/below/new\n/kept/more' "a build upon it in $id"
  done
  berth docker $id -- rm changed >/dev/null
  berth docker $id -- rmi upon:1 built:0 built:1 hiding:1 >/dev/null
  if berth docker $id -- run --rm hiding:1 true 2>/dev/null; then fail "$id has an image that was removed"; fi
done
# Root of the sandbox does not get at it either, whatever it does with the mounts.
berth exec two -- sh -c 'mount -o remount,rw /.images/layers; cd /.images/layers; touch new; chmod 777 .; for file in */link; do : >$file; rm $file; done' 2>/dev/null || true
same "$(berth docker two -- run --rm hiding:1 sh -c "$shown")" "$want" "what a container of the other one sees"
same "$(listed)" "$before" "the store"

# What a sandbox wrote into the data root leads nowhere.
link=$(find "$data/berth-data-root/docker/image/overlay2/layerdb/sha256" -name cache-id | head -1)
ln -sf /etc/hostname "$link"
if said=$("$store" "$data" "$BERTH_TEST_ROOTFS" 2>&1); then fail "a link was followed"; fi
[[ $said == *"behind a symbolic link"* ]] || fail "image-store said: $said"
