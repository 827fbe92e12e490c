#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every code block of the README, as a reader would use it: on real runsc and dockerd where it makes a sandbox. What a block
# has only to stand for something (paths, an image that a registry would serve) is replaced, and the text that is replaced must
# be there. The Python block runs in bindings/python/tests/integration/test_readme.py, where the package is installed.
set -euo pipefail
hint='run scripts/setup, then eval "$(scripts/setup --print)"'
: "${BERTH_RUNSC:?$hint}" "${BERTH_TEST_ROOTFS:?$hint}" "${BERTH_TEST_REGISTRY_IMAGES:?$hint}" "${BERTH_GO:?$hint}"
: "${BERTH_BUILD:?set by ctest}"
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# Short: unix sockets lie below it.
work=$(mktemp -d /tmp/berth-readme.XXXXXX)
prefix=${BERTH_PREFIX:-$work/prefix}  # an installed berth, in place of what is in BERTH_BUILD
export BERTH_ROOT=$work/state BERTH_RUNSC BERTH_INIT=$prefix/libexec/berth/berth-init

end() {
  local id
  # Of a block that failed.
  for id in $("$prefix/bin/berth" ls 2>/dev/null | awk 'NR > 1 { print $1 }'); do
    "$prefix/bin/berth" rm "$id" || true
  done
  chmod -R u+w "$work" && rm -rf --one-file-system "$work"
}
trap end EXIT

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# put BLOCK TEXT REPLACEMENT: what is only an example in it.
put() {
  local block
  block=$(<"$1")
  [[ $block == *"$2"* ]] || fail "the README's block ${1##*/} has no '$2' any more: mend this test"
  printf '%s\n' "${block//"$2"/"$3"}" >"$1"
}

nothing_is_left() {
  local left
  left=$(find "$BERTH_ROOT" -mindepth 1 -maxdepth 1 ! -name '.*')
  [[ -z $left ]] || fail "$1 left behind: $left"
}

names=$(python3 "$here/readme_blocks.py" "$source/README.md" "$work" sh cpp python go)
if [[ -z ${BERTH_PREFIX:-} ]]; then
  flock "$BERTH_BUILD/install.lock" cmake --install "$BERTH_BUILD" --prefix "$prefix" >/dev/null
fi
pkg_config_path=$(dirname "$(find "$prefix/" -name berth.pc -print -quit)")
export PKG_CONFIG_PATH=$pkg_config_path LD_LIBRARY_PATH=${pkg_config_path%/pkgconfig}

# A root file system whose dockerd ends at once.
broken=$work/broken
mkdir -p "$broken"/{bin,usr/bin,etc,var/lib/docker,proc,sys,dev,tmp,run}
cp "$BERTH_TEST_ROOTFS/bin/busybox" "$broken/bin/"
for applet in sh mkdir cat rm ln mount sed grep head test sleep; do
  ln -s busybox "$broken/bin/$applet"
done
printf '#!/bin/sh\necho "this dockerd does not start" >&2\nexit 1\n' >"$broken/usr/bin/dockerd"
chmod +x "$broken/usr/bin/dockerd"

test_cpp() {
  put "$1" /srv/rootfs "$BERTH_TEST_ROOTFS"
  cat >>"$1" <<'PROGRAM'

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

int main() {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  int code = 1;
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, job(berth::environment::from(env)), [&](std::exception_ptr, berth::result<void> done) {
    code = done ? 0 : 1;
    if (!done) std::cerr << done.error().to_string() << '\n';
    loop.stop();
  });
  loop.run();
  return code;
}
PROGRAM
  local flags
  read -ra flags <<<"$(pkg-config --cflags berth-cpp) -L${PKG_CONFIG_PATH%/pkgconfig} -l:libberth-cpp.a"
  g++ -std=c++20 -Wall -Wextra -Werror -o "$work/cpp" "$1" "${flags[@]}"
  "$work/cpp" >"$work/out" || fail "the C++ block failed"
  grep -q '^CONTAINER ID' "$work/out" || fail "the C++ block printed: $(<"$work/out")"
  nothing_is_left "the C++ block"

  # And where dockerd does not start: an error that says so, and nothing left.
  put "$1" "$BERTH_TEST_ROOTFS" "$broken"
  g++ -std=c++20 -o "$work/cpp" "$1" "${flags[@]}"
  if "$work/cpp" >"$work/out" 2>"$work/err"; then
    fail "the C++ block succeeded with a dockerd that does not start"
  fi
  grep -q 'this dockerd does not start' "$work/err" || fail "the C++ block said: $(<"$work/err")"
  nothing_is_left "the C++ block, when dockerd did not start,"
}

test_go() {
  mkdir "$work/go"
  mv "$1" "$work/go/main.go"
  put "$work/go/main.go" /srv/rootfs "$BERTH_TEST_ROOTFS"
  cp "$source/bindings/go/go.sum" "$work/go/"
  printf 'module readme\n\ngo 1.24\n\nrequire berth.dev/go/berth v0.0.0\n\nreplace berth.dev/go/berth => %s\n' \
    "$source/bindings/go" >"$work/go/go.mod"
  (
    cd "$work/go"
    export GOFLAGS=-mod=mod GOTOOLCHAIN=local
    # What pkg-config answers is no part of the key of Go's build cache: an earlier run's prefix, now gone, would be linked with.
    export CGO_LDFLAGS=-L${pkg_config_path%/pkgconfig}
    [[ -z $("${BERTH_GO%/*}/gofmt" -l .) ]] || fail "the Go block is not as gofmt has it"
    "$BERTH_GO" mod tidy 2>/dev/null
    "$BERTH_GO" vet -tags berth_shared .
    "$BERTH_GO" build -tags berth_shared -o readme .
  )
  "$work/go/readme" >"$work/out" || fail "the Go block failed"
  grep -q '^CONTAINER ID' "$work/out" || fail "the Go block printed: $(<"$work/out")"
  nothing_is_left "the Go block"
}

# Its make targets are there; they are what runs this test.
test_make() {
  local target
  while read -r _ target _; do
    make -C "$source" -n "$target" >/dev/null || fail "the README names 'make $target'"
  done <"$1"
}

test_shell() {
  put "$1" 'make && make install ' ': '
  put "$1" /path/to/runsc "$BERTH_RUNSC"
  put "$1" /srv/rootfs "$BERTH_TEST_ROOTFS"
  # What a registry would serve, and a look at what it serves itself.
  put "$1" 'berth docker $id -- run' 'berth exec $id -- docker load <"$BERTH_TEST_REGISTRY_IMAGES/nginx.tar"
berth exec $id -- docker tag nginx:test nginx
berth docker $id -- run'
  put "$1" 'berth rm $id' '[[ -S ${DOCKER_HOST#unix://} ]]
curl -sS --retry 5 --retry-all-errors "http://$(berth status $id --json | python3 -c "$address"):8080"
berth rm $id'
  address='import json, sys; print(json.load(sys.stdin)["network"]["address"])' \
    PATH=$prefix/bin:$PATH bash -euo pipefail "$1" >"$work/out" 2>"$work/err" ||
    fail "the shell block failed: $(<"$work/out") $(<"$work/err")"
  grep -q 'Welcome to nginx' "$work/out" || fail "the shell block printed: $(<"$work/out")"
  nothing_is_left "the shell block"
}

for name in $names; do
  file=$work/$name
  echo "README.md:${name%.*} (${name##*.})"
  case $name in
    *.cpp) test_cpp "$file" ;;
    *.go) test_go "$file" ;;
    *.python) python3 -m py_compile "$file" ;;
    *.sh)
      bash -n "$file"
      if grep -q '^berth ' "$file"; then
        test_shell "$file"
      elif ! grep -qv '^make [a-z]* ' "$file"; then
        test_make "$file"
      else
        fail "README.md:${name%.*}: nobody has said how this shell block is tested"
      fi
      ;;
  esac
done
