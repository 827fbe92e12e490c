# SPDX-License-Identifier: Apache-2.0
# What the matrix is run with beside the test suite's own: a root file system for each Docker, a runsc of each age, and
# buildkitd. All of it is made when it is asked for first.
# shellcheck shell=bash

matrix_dockers() { printf '%s\n' 20.10 "${!matrix_suites[@]}" "$matrix_built_docker" | sort -V; }
matrix_runscs() { printf '%s\n' "$runsc_release" "$matrix_runsc_release" "$matrix_runsc_debian"; }

# go_build TITLE DIRECTORY PACKAGE@VERSION...: static programs of the module proxy, into DIRECTORY.
go_build() {
  local title=$1 directory=$2 package
  shift 2
  find_go || setup_go
  for package in "$@"; do
    quietly "building $title: ${package%@*}" env GOBIN="$directory" CGO_ENABLED=0 GOFLAGS=-buildvcs=false "$BERTH_GO" install \
      -ldflags "-s -w ${go_build_variables:-}" "$package" || die "$package could not be built"
  done
}

# built_docker ROOT: Docker of the module proxy over that of the suite.
built_docker() {
  local programs=$1.programs moby=${matrix_moby%@*} version=$matrix_built_docker.0.0-${matrix_moby##*-}
  rm -rf "$programs"
  go_build_variables="-X $moby/dockerversion.Version=$version" go_build "Docker $matrix_built_docker" "$programs" \
    "$moby/cmd/dockerd@${matrix_moby#*@}" "$moby/cmd/docker-proxy@${matrix_moby#*@}"
  go_build "containerd" "$programs" \
    "${matrix_containerd%@*}/cmd/containerd@${matrix_containerd#*@}" \
    "${matrix_containerd%@*}/cmd/containerd-shim-runc-v2@${matrix_containerd#*@}"
  rm -f "$1"/usr/sbin/{dockerd,docker-proxy} "$1"/usr/bin/{dockerd,docker-proxy,containerd,containerd-shim-runc-v2}
  install -m 0755 "$programs"/{dockerd,docker-proxy} "$1/usr/sbin/"
  install -m 0755 "$programs"/containerd "$programs"/containerd-shim-runc-v2 "$1/usr/bin/"
  rm -rf "$programs"
  # berth reads versions from the package records.
  awk -v docker="$version" -v containerd="${matrix_containerd##*@v}" '
    $1 == "Package:" { name = $2 }
    $1 == "Version:" && name == "docker.io" { $2 = docker }
    $1 == "Version:" && name == "containerd" { $2 = containerd }
    { print }' "$1/var/lib/dpkg/status" >"$1/var/lib/dpkg/status.new"
  mv "$1/var/lib/dpkg/status.new" "$1/var/lib/dpkg/status"
}

# matrix_rootfs DOCKER: makes it where it is not there; its path in made.
matrix_rootfs() {
  local docker=$1 suite step=: hash have
  if [[ $docker == 20.10 ]]; then
    setup_rootfs
    made=$BERTH_TEST_ROOTFS
    return
  fi
  suite=${matrix_suites[$docker]:-}
  if [[ $docker == "$matrix_built_docker" ]]; then
    suite=${matrix_suites[$matrix_built_over]}
    step=built_docker
  fi
  [[ -n $suite ]] || die "no Docker is called '$docker'; there are $(matrix_dockers | paste -sd ' ')"
  # The number is raised when the steps change.
  hash=$(recipe_hash 1 "$suite" "$matrix_packages" "$matrix_moby" "$matrix_containerd" "$(dpkg --print-architecture)")
  made=$berth_cache/rootfs/docker-$docker-$hash
  [[ -d $made ]] || make_rootfs "$made" "$suite" "$matrix_packages" "$step"
  have=$(awk '$1 == "Package:" { name = $2 } $1 == "Version:" && name == "docker.io" { print $2 }' "$made/var/lib/dpkg/status")
  [[ $have == "$docker".* ]] || die "Debian's $suite has Docker $have by now, not $docker: see scripts/versions.sh"
}

# matrix_runsc RELEASE: the same for a runsc.
matrix_runsc() {
  made=$berth_cache/runsc/$1/runsc
  case $1 in
    "$runsc_release")
      setup_runsc
      made=$BERTH_RUNSC
      ;;
    "$matrix_runsc_release") [[ -x $made ]] || build_runsc "$1" "$matrix_runsc_module" "$made" ;;
    "$matrix_runsc_debian")
      if [[ ! -x $made ]]; then
        local work=$berth_cache/runsc/unpacking
        rm -rf "$work"
        download_debs "$work" "$matrix_runsc_debian_suite" runsc || die "$matrix_runsc_debian_suite has no runsc"
        dpkg-deb -x "$work"/debs/runsc_*.deb "$work/tree"
        mkdir -p "${made%/*}"
        mv "$work/tree/usr/bin/runsc" "$made"
        rm -rf "$work"
      fi
      ;;
    *) die "no runsc is called '$1'; there are $(matrix_runscs | paste -sd ' ')" ;;
  esac
}

# matrix_buildkit: buildkitd and buildctl; where they are in made.
matrix_buildkit() {
  local building=$berth_cache/buildkit/building source
  made=$berth_cache/buildkit/${matrix_buildkit#*@}
  if [[ -d $made ]]; then
    return
  fi
  find_go || setup_go
  rm -rf "$building"
  mkdir -p "$building"
  # In the module's own directory: go install takes no module whose go.mod excludes something.
  source=$("$BERTH_GO" mod download -json "$matrix_buildkit" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -d $source ]] || die "$matrix_buildkit could not be fetched"
  quietly "building BuildKit" env CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=readonly" "$BERTH_GO" -C "$source" build \
    -ldflags "-s -w" -o "$building/" ./cmd/buildkitd ./cmd/buildctl || die "$matrix_buildkit could not be built"
  mv "$building" "$made"
}
