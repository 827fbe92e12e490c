# SPDX-License-Identifier: Apache-2.0
# What the Python package is made, tested and tried with.
# shellcheck shell=bash

# find_python: a Python that the package works with. BERTH_PYTHON is taken as it is.
find_python() {
  local python=${BERTH_PYTHON:-} candidate
  for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    [[ -z $python ]] || break
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
    fi
  done
  [[ -n $python ]] || die "the Python package needs Python 3.11 or later with venv; set BERTH_PYTHON to one"
  echo "$python"
}

# python_wheels VENV REQUIREMENTS: the directory with the wheels of all that the file lists. The index is asked once for
# these versions; afterwards they are in the cache.
python_wheels() {
  local wheels
  wheels=$berth_cache/python/$(recipe_hash 2 "$(<"$2")" "$("$1/bin/python" -VV)")
  if [[ ! -d $wheels ]]; then
    rm -rf "$wheels.new"
    mkdir -p "$wheels.new"
    quietly "fetching what $(basename "$2") lists" "$1/bin/pip" wheel -q --disable-pip-version-check -r "$2" -w "$wheels.new" ||
      die "pip could not fetch what $(basename "$2") lists"
    mv "$wheels.new" "$wheels"
  fi
  echo "$wheels"
}

# setup_python_root: python_root is a root file system with Python, and little else.
setup_python_root() {
  python_root=$berth_cache/rootfs/$rootfs_suite-$(recipe_hash 1 "$python_root_packages" "$(dpkg --print-architecture)")
  [[ -d $python_root ]] || (locked && make_rootfs "$python_root" "$rootfs_suite" "$python_root_packages")
}
