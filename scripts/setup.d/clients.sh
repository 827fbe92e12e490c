# SPDX-License-Identifier: Apache-2.0
# The docker command, docker compose and buildx of users, for the tests of berth's Python package: unpacked into the cache
# from the Debian packages of $clients_suite, whose compose is the second generation. Nothing is installed, so no dockerd
# comes along.
# shellcheck shell=bash

docker_clients() { printf '%s\n' "$berth_cache/clients/$(recipe_hash 2 "$clients_suite" "$(dpkg --print-architecture)")"; }

# download_debs DIRECTORY SUITE PACKAGE...: packages of SUITE, into DIRECTORY/debs; apt checks them against the signed
# lists, and this machine's own lists stay as they are.
download_debs() {
  local directory=$1 suite=$2 mirror keyring apt
  shift 2
  mirror=$(apt_mirror "$rootfs_suite")
  [[ -n $mirror ]] || die "apt's sources on this machine name no Debian mirror; add one for $rootfs_suite main"
  keyring=$(apt_keyring "$mirror")
  mkdir -p "$directory"/{lists/partial,archives/partial,debs}
  echo "deb [signed-by=${keyring:-/usr/share/keyrings/debian-archive-keyring.gpg}] $mirror $suite main" \
    >"$directory/sources.list"
  apt=(-o "Dir::Etc::SourceList=$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$directory/lists" -o "Dir::Cache=$directory" -o APT::Sandbox::User=root)
  quietly "looking for $* in $suite" apt-get "${apt[@]}" update
  (
    cd "$directory/debs" || exit
    quietly "fetching $*" apt-get "${apt[@]}" download "$@"
  )
}

setup_clients() {
  local target building deb plugin
  target=$(docker_clients)
  if [[ -d $target ]]; then
    return
  fi
  mkdir -p "$berth_cache/clients"
  rm -rf "$berth_cache"/clients/building.*
  building=$(mktemp -d "$berth_cache/clients/building.XXXXXX")
  download_debs "$building" "$clients_suite" docker-cli "${rootfs_plugins[@]}" || {
    rm -rf "$building"
    die "apt-get could not download docker-cli, ${rootfs_plugins[*]} of $clients_suite"
  }
  for deb in "$building"/debs/*.deb; do
    dpkg-deb -x "$deb" "$building/tree"
  done
  # The client looks for its plugins in $DOCKER_CONFIG/cli-plugins.
  mkdir -p "$building/made/bin" "$building/made/config/cli-plugins"
  mv "$building/tree/usr/bin/docker" "$building/made/bin/"
  for plugin in docker-compose docker-buildx; do
    mv "$building/tree/usr/libexec/docker/cli-plugins/$plugin" "$building/made/config/cli-plugins/"
  done
  mv "$building/made" "$target"
  rm -rf "$building"
  say "docker's client: $target"
}
