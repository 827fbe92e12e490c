# SPDX-License-Identifier: Apache-2.0
# A small image for nested containers, which no registry has to serve: Debian's busybox with the C library it is linked
# to. Not busybox-static: a static glibc program crashes when it resolves a name through NSS.
# shellcheck shell=bash

image_name=busybox:latest

setup_image() {
  local hash target building deb
  hash=$(recipe_hash 1 "$image_name" "$(dpkg --print-architecture)" "$(<"$berth_source/scripts/make-image.py")")
  target=$berth_cache/image/busybox-$hash.tar
  export BERTH_TEST_IMAGE=$target
  if [[ -f $target ]]; then
    return
  fi
  mkdir -p "$berth_cache/image"
  rm -rf "$berth_cache"/image/building.*
  building=$(mktemp -d "$berth_cache/image/building.XXXXXX")
  mkdir "$building/root" "$building/debs"
  # apt checks the packages against the signed lists.
  (
    cd "$building/debs"
    quietly "fetching busybox and its C library" apt-get -o APT::Sandbox::User=root download busybox libc6
  ) || {
    rm -rf "$building"
    die "apt-get could not download busybox and libc6; run apt-get update"
  }
  for deb in "$building"/debs/*.deb; do
    dpkg-deb -x "$deb" "$building/root"
  done
  python3 "$berth_source/scripts/make-image.py" "$building/root" "$image_name" "$building/image.tar"
  mv "$building/image.tar" "$target"
  rm -rf "$building"
  say "image for nested containers: $target ($image_name)"
}
