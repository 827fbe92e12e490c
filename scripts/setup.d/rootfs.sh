# SPDX-License-Identifier: Apache-2.0
# A root file system with Docker, compose v2 and buildx in it, made by debootstrap from this machine's own Debian mirror.
# shellcheck shell=bash

setup_rootfs() {
  local hash target building mirror keyring options=()
  # The number is raised when the steps below change.
  hash=$(recipe_hash 2 "$rootfs_suite" "$rootfs_packages" "$clients_suite" "${rootfs_plugins[*]}" "$(dpkg --print-architecture)")
  target=$berth_cache/rootfs/$rootfs_suite-$hash
  export BERTH_TEST_ROOTFS=$target
  if [[ -d $target ]]; then
    return
  fi
  need_root "making a root file system"
  command -v debootstrap >/dev/null || setup_packages
  mirror=$(apt_mirror "$rootfs_suite")
  [[ -n $mirror ]] || die "apt's sources on this machine name no Debian mirror; add one for $rootfs_suite main"
  keyring=$(apt_keyring "$mirror")
  if [[ -n $keyring ]]; then
    options+=("--keyring=$keyring")
  fi
  mkdir -p "$berth_cache/rootfs" "$berth_cache/debs"
  building=$target.building
  rm -rf --one-file-system "$building"
  quietly "making a $rootfs_suite root file system with Docker" debootstrap --variant=minbase \
    --cache-dir="$berth_cache/debs" "${options[@]}" --include="$rootfs_packages" "$rootfs_suite" "$building" "$mirror" ||
    die "debootstrap failed"
  # dockerd's names on user networks need the legacy variant: the sandbox has no nf_tables.
  for tool in iptables ip6tables; do
    chroot "$building" update-alternatives --set "$tool" "/usr/sbin/$tool-legacy" >/dev/null
  done
  rm -rf --one-file-system "$target.plugins"
  download_debs "$target.plugins" "${rootfs_plugins[@]}" ||
    die "apt-get could not download ${rootfs_plugins[*]} of $clients_suite"
  mv "$target.plugins/debs" "$building/plugins"
  chroot "$building" sh -c 'dpkg -i /plugins/*.deb' >/dev/null || die "${rootfs_plugins[*]} could not be installed"
  rm -rf "$target.plugins" "$building/plugins"
  rm -rf "$building"/var/cache/apt/archives/*.deb "$building"/var/lib/apt/lists/*
  mv "$building" "$target"
  say "root file system: $target"
}
