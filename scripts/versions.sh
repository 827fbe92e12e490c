# SPDX-License-Identifier: Apache-2.0
# What the set-up fetches, pinned. Sourced by scripts/common.sh; nothing else states a version.
# shellcheck shell=bash

# The oldest runsc that is used as found: 20260520.0 brought the overlay upper on a bind mount and tmpfs nr_inodes, which
# the data root and newer nested runtimes need, and 20260905.0 the network of restored sandboxes.
runsc_min=20260905

# The runsc that is built when none is found. The Go checksum database verifies the module and all that it requires.
runsc_release=20260905.0
runsc_module=gvisor.dev/gvisor/runsc@v0.0.0-20260905035102-160fafc42237
# What that module's go.mod asks for.
go_min=1.26.3

# The test root file system: a Debian suite with Docker 20.10 in it.
rootfs_suite=bookworm
rootfs_packages=docker.io,iptables,iproute2,ca-certificates,busybox-static,procps,curl
# Where the Python package's wheel is tried.
python_root_packages=python3,python3-pip
# Compose v2 and buildx, which that suite has not, and a docker command for this machine: from the next suite, whose Go
# programs ask for no newer C library.
clients_suite=trixie
rootfs_plugins=(docker-compose docker-buildx)

# Packages of the machine itself, Debian 12. Build: compiler, tools, libraries.
packages_build=(g++ gcc make cmake ninja-build pkg-config ccache python3
  libboost1.81-dev rapidjson-dev libcli11-dev libgtest-dev libbenchmark-dev)
# Run: what berth calls, and what makes root file systems.
packages_run=(iproute2 nftables iptables util-linux curl debootstrap debian-archive-keyring ca-certificates xz-utils)
# Test: the linters; fuzzing, sanitizers, the ABI check; the Python package's registry, images and virtual environment.
packages_test=(clang-format shellcheck clang-16 libclang-rt-16-dev abigail-tools procps git
  docker-registry skopeo umoci python3-venv)

# The matrix (scripts/matrix): what is tried beside runsc_release and the Docker of rootfs_suite. An older runsc of the module
# proxy, one that Debian has, and a suite for each Docker; the newest Docker is built, and put over the one before.
matrix_runsc_release=20260224.0
matrix_runsc_module=gvisor.dev/gvisor/runsc@v0.0.0-20260224225140-573d5e7127a8
matrix_runsc_debian=20240729.0
matrix_runsc_debian_suite=bookworm-backports
declare -A matrix_suites=([26.1]=trixie [28.5]=sid)
matrix_packages=$rootfs_packages,docker-cli,docker-compose,docker-buildx
matrix_built_docker=29
matrix_built_over=28.5
matrix_moby=github.com/moby/moby/v2@v2.0.0-beta.24
matrix_containerd=github.com/containerd/containerd/v2@v2.2.1
# Serves buildx's docker-container driver; there is no public registry.
matrix_buildkit=github.com/moby/buildkit@v0.26.3
