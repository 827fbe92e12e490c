# The docker command and docker compose of users, for the tests of berth's Python package: unpacked into the cache from
# Debian's trixie packages, whose compose is the second generation. Nothing is installed, so no dockerd comes along.
# shellcheck shell=bash

clients_suite=trixie

docker_clients() { printf '%s\n' "$berth_cache/clients/$(recipe_hash 1 "$clients_suite" "$(dpkg --print-architecture)")"; }

setup_clients() {
  local mirror keyring target building deb apt
  target=$(docker_clients)
  if [[ -d $target ]]; then
    return
  fi
  mirror=$(apt_mirror "$rootfs_suite")
  [[ -n $mirror ]] || die "apt's sources on this machine name no Debian mirror; add one for $rootfs_suite main"
  keyring=$(apt_keyring "$mirror")
  mkdir -p "$berth_cache/clients"
  rm -rf "$berth_cache"/clients/building.*
  building=$(mktemp -d "$berth_cache/clients/building.XXXXXX")
  mkdir -p "$building"/{lists/partial,archives/partial,debs,tree}
  echo "deb [signed-by=${keyring:-/usr/share/keyrings/debian-archive-keyring.gpg}] $mirror $clients_suite main" \
    >"$building/sources.list"
  apt=(-o "Dir::Etc::SourceList=$building/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$building/lists" -o "Dir::Cache=$building" -o APT::Sandbox::User=root)
  (
    quietly "looking for docker's client in $clients_suite" apt-get "${apt[@]}" update
    cd "$building/debs"
    quietly "fetching docker-cli and docker-compose" apt-get "${apt[@]}" download docker-cli docker-compose
  ) || {
    rm -rf "$building"
    die "apt-get could not download docker-cli and docker-compose of $clients_suite"
  }
  for deb in "$building"/debs/*.deb; do
    dpkg-deb -x "$deb" "$building/tree"
  done
  # The client looks for its plugins in $DOCKER_CONFIG/cli-plugins.
  mkdir -p "$building/made/bin" "$building/made/config/cli-plugins"
  mv "$building/tree/usr/bin/docker" "$building/made/bin/"
  mv "$building/tree/usr/libexec/docker/cli-plugins/docker-compose" "$building/made/config/cli-plugins/"
  mv "$building/made" "$target"
  rm -rf "$building"
  say "docker's client: $target"
}
