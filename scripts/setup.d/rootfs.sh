# SPDX-License-Identifier: Apache-2.0
# A root file system with Docker, compose v2 and buildx in it, made by debootstrap from this machine's own Debian mirror.
# shellcheck shell=bash

# make_rootfs TARGET SUITE PACKAGES [STEP]: the root file system TARGET; STEP is a function that gets it to finish it.
make_rootfs() {
  local target=$1 suite=$2 packages=$3 step=${4:-:} building=$1.building mirror keyring options=()
  need_root "making a root file system"
  command -v debootstrap >/dev/null || setup_packages
  mirror=$(apt_mirror "$rootfs_suite")
  [[ -n $mirror ]] || die "apt's sources on this machine name no Debian mirror; add one for $rootfs_suite main"
  keyring=$(apt_keyring "$mirror")
  if [[ -n $keyring ]]; then
    options+=("--keyring=$keyring")
  fi
  mkdir -p "$berth_cache/rootfs" "$berth_cache/debs"
  rm -rf --one-file-system "$building"
  quietly "making a $suite root file system with Docker" debootstrap --variant=minbase \
    --cache-dir="$berth_cache/debs" "${options[@]}" --include="$packages" "$suite" "$building" "$mirror" ||
    die "debootstrap failed"
  "$step" "$building"
  rm -rf "$building"/var/cache/apt/archives/*.deb "$building"/var/lib/apt/lists/*
  mv "$building" "$target"
  say "root file system: $target"
}

# finish_test_rootfs ROOT: compose and buildx, which that suite lacks; and the iptables that a sandbox can use. berth gives
# dockerd that by itself; the tests' own calls of it take the default.
finish_test_rootfs() {
  local work=$1.plugins tool
  for tool in iptables ip6tables; do
    chroot "$1" update-alternatives --set "$tool" "/usr/sbin/$tool-legacy" >/dev/null
  done
  rm -rf --one-file-system "$work"
  download_debs "$work" "$clients_suite" "${rootfs_plugins[@]}" ||
    die "apt-get could not download ${rootfs_plugins[*]} of $clients_suite"
  mv "$work/debs" "$1/plugins"
  chroot "$1" sh -c 'dpkg -i /plugins/*.deb' >/dev/null || die "${rootfs_plugins[*]} could not be installed"
  rm -rf "$work" "$1/plugins"
}

setup_rootfs() {
  local hash
  # The number is raised when the steps above change.
  hash=$(recipe_hash 2 "$rootfs_suite" "$rootfs_packages" "$clients_suite" "${rootfs_plugins[*]}" "$(dpkg --print-architecture)")
  export BERTH_TEST_ROOTFS=$berth_cache/rootfs/$rootfs_suite-$hash
  [[ -d $BERTH_TEST_ROOTFS ]] || make_rootfs "$BERTH_TEST_ROOTFS" "$rootfs_suite" "$rootfs_packages" finish_test_rootfs
}
