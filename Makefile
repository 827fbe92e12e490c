# SPDX-License-Identifier: Apache-2.0
# The short way in; docs/building.md says what stands behind each target.
PREFIX ?= /usr/local
export BERTH_START ?= $(shell date +%s)

.PHONY: all setup demo test matrix check-quick lint bench asan tsan fuzz-replay install clean

# Builds everything into build/; the command is build/bin/berth.
all:
	@scripts/setup packages
	@scripts/build build

# Installs packages, runsc, a root file system with Docker, an image for nested containers.
setup:
	@scripts/setup

# A nested container in real dockerd in real runsc.
demo:
	@scripts/demo

# Everything, as CI runs it. PARTS="quick integration" runs some of it.
test:
	@scripts/test $(PARTS)

# Scenarios on each pair of runsc and Docker; writes docs/matrix.md. RUNSC="pinned" DOCKER="20.10,29" NAMES="bridge buildkit*" runs some.
matrix: all
	@scripts/matrix $(if $(RUNSC),--runsc $(RUNSC)) $(if $(DOCKER),--docker $(DOCKER)) $(if $(JOBS),--jobs $(JOBS)) $(NAMES)

# The tests that need neither root nor runsc.
check-quick:
	@scripts/setup packages
	@scripts/test build quick

# How the sources are written: formatting, linters, licences. FIX=--fix mends what a program can mend.
lint:
	@scripts/setup packages go
	@scripts/lint $(FIX)

# The unit tests under sanitizers, and the fuzz corpus.
asan tsan:
	@scripts/setup packages
	@scripts/test $@
fuzz-replay:
	@scripts/setup packages
	@scripts/test fuzz

# The benchmarks, each beside its peer. NAMES="spec coldstart" runs some of them.
bench:
	@scripts/bench $(NAMES)

install: all
	cmake --install build --prefix $(PREFIX)

clean:
	rm -rf build build-asan build-tsan build-debug build-fuzz
