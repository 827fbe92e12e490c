# SPDX-License-Identifier: Apache-2.0
# Two images for a registry of the tests' own, made of Debian packages and named as users name theirs, since no public
# registry can be counted on: `ubuntu:22.04`, which is a minimal Debian, and `nginx:latest`, which is Debian's nginx.
# shellcheck shell=bash

registry_images() {
  local hash
  hash=$(recipe_hash 1 "$rootfs_suite" "$(dpkg --print-architecture)" "$(<"$berth_source/scripts/rootfs-image.py")")
  printf '%s\n' "$berth_cache/registry/$hash"
}

setup_registry() {
  local target building root mirror keyring options=()
  target=$(registry_images)
  if [[ -d $target ]]; then
    return
  fi
  need_root "making the images for the tests' registry"
  command -v debootstrap >/dev/null || setup_packages
  mirror=$(apt_mirror "$rootfs_suite")
  [[ -n $mirror ]] || die "apt's sources on this machine name no Debian mirror; add one for $rootfs_suite main"
  keyring=$(apt_keyring "$mirror")
  if [[ -n $keyring ]]; then
    options+=("--keyring=$keyring")
  fi
  mkdir -p "$berth_cache/registry" "$berth_cache/debs"
  building=$target.building
  rm -rf --one-file-system "$building"
  mkdir "$building"
  for name in ubuntu nginx; do
    root=$building/$name
    local include=ca-certificates config='{"Cmd":["/bin/bash"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}'
    if [[ $name == nginx ]]; then
      include=nginx-light
      config='{"Cmd":["nginx","-g","daemon off;"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGQUIT"}'
    fi
    quietly "making the image that the tests call $name" debootstrap --variant=minbase \
      --cache-dir="$berth_cache/debs" "${options[@]}" --include="$include" "$rootfs_suite" "$root" "$mirror" ||
      die "debootstrap failed"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    if [[ $name == nginx ]]; then
      ln -sf /dev/stdout "$root/var/log/nginx/access.log"
      ln -sf /dev/stderr "$root/var/log/nginx/error.log"
    fi
    python3 "$berth_source/scripts/rootfs-image.py" "$root" "$name:test" "$config" "$building/$name.tar"
    rm -rf --one-file-system "$root"
  done
  mv "$building" "$target"
  say "images for the tests' registry: $target"
}
