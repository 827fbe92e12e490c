# SPDX-License-Identifier: Apache-2.0
# A Go that is new enough to build runsc. Debian 12's is 1.19, which neither can nor fetches a newer one by itself.
# shellcheck shell=bash

go_is_fit() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  version_at_least "${version#go}" "$go_min"
}

# find_go: sets BERTH_GO to the first fit one: $BERTH_GO, PATH, the usual places, the cache. A go of 1.21 and later that may
# fetch toolchains answers with the version that it would run, which is the one asked for.
find_go() {
  local candidate
  for candidate in "${BERTH_GO:-}" "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-*/bin/go \
    "$berth_cache"/go/usr/lib/go-*/bin/go; do
    if [[ -n $candidate && -x $candidate ]] && go_is_fit "$candidate"; then
      export BERTH_GO=$candidate
      return 0
    fi
  done
  return 1
}

# setup_go: finds one, or unpacks Debian's newest into the cache (Debian's Go is one self-contained tree).
setup_go() {
  if find_go; then
    return
  fi
  local suite mirror building package
  mirror=$(apt_mirror testing)
  [[ -n $mirror ]] || die "runsc is built with Go $go_min or newer; install it, or set BERTH_GO to one"
  for suite in "$rootfs_suite-backports" testing sid; do
    building=$berth_cache/go.building
    rm -rf "$building"
    mkdir -p "$building"/{lists/partial,archives/partial,debs,tree}
    echo "deb [signed-by=$(apt_keyring "$mirror" | grep . || echo /usr/share/keyrings/debian-archive-keyring.gpg)]" \
      "$mirror $suite main" >"$building/sources.list"
    local apt=(-o "Dir::Etc::SourceList=$building/sources.list" -o Dir::Etc::SourceParts=/dev/null
      -o "Dir::State::Lists=$building/lists" -o "Dir::Cache=$building" -o APT::Sandbox::User=root)
    quietly "looking for Go in Debian's $suite" apt-get "${apt[@]}" update || continue
    package=$(apt-cache "${apt[@]}" --names-only search '^golang-1\.[0-9]+-go$' | awk '{ print $1 }' | sort -V | tail -n 1)
    [[ -n $package ]] || continue
    version_at_least "$(apt-cache "${apt[@]}" show --no-all-versions "$package" |
      awk '$1 == "Version:" { print $2 }')" "$go_min" || continue
    (
      cd "$building/debs"
      quietly "fetching $package" apt-get "${apt[@]}" download "$package" "${package%-go}-src"
      for deb in *.deb; do
        dpkg-deb -x "$deb" "$building/tree"
      done
    ) || continue
    rm -rf "$berth_cache/go"
    mv "$building/tree" "$berth_cache/go"
    rm -rf "$building"
    find_go || die "the Go of Debian's $suite does not run on this machine; install Go $go_min or newer, or set BERTH_GO"
    say "Go: $BERTH_GO"
    return
  done
  rm -rf "$berth_cache/go.building"
  die "runsc is built with Go $go_min or newer, and this machine's Debian mirror has none; install it, or set BERTH_GO"
}
