# SPDX-License-Identifier: Apache-2.0
# runsc: one that is there and new enough, else the pinned one, built by go from the module proxy.
# shellcheck shell=bash

# runsc_is_fit FILE: prints its release where it is recent enough, and why not where it is not.
runsc_is_fit() {
  local release
  release=$("$1" --version 2>/dev/null | sed -n 's/^runsc version release-//p')
  [[ $release =~ ^[0-9]{8} ]] && version_at_least "${release%%[!0-9.]*}" "$runsc_min"
}

# build_runsc RELEASE MODULE FILE: the module proxy's runsc of that release, as FILE.
build_runsc() {
  local building=$berth_cache/runsc/building
  setup_go
  mkdir -p "$berth_cache/runsc"
  rm -rf "$building"
  # Go checks every module against its checksum database (unless this machine turned that off).
  quietly "building runsc $1 (about two minutes)" env GOBIN="$building" CGO_ENABLED=0 \
    GOFLAGS=-buildvcs=false "$BERTH_GO" install \
    -ldflags "-s -w -X gvisor.dev/gvisor/runsc/version.version=release-$1" "$2" ||
    die "runsc could not be built"
  "$building/runsc" --version >/dev/null || die "the runsc that was built does not run here"
  mkdir -p "${3%/*}"
  mv "$building/runsc" "$3"
  rm -rf "$building"
  say "runsc: $3"
}

setup_runsc() {
  local candidate target
  target=$berth_cache/runsc/$runsc_release/runsc
  if [[ -n ${BERTH_RUNSC:-} ]]; then
    runsc_is_fit "$BERTH_RUNSC" || die "BERTH_RUNSC=$BERTH_RUNSC is not a runsc of release $runsc_min or later"
    return
  fi
  candidate=$(command -v runsc || true)
  if [[ -n $candidate ]]; then
    if runsc_is_fit "$candidate"; then
      export BERTH_RUNSC=$candidate
      return
    fi
    say "$candidate is older than release $runsc_min; passing over it"
  fi
  export BERTH_RUNSC=$target
  if [[ -x $target ]] && runsc_is_fit "$target"; then
    return
  fi
  build_runsc "$runsc_release" "$runsc_module" "$target"
  runsc_is_fit "$target" || die "the runsc that was built is not of release $runsc_min or later"
}
