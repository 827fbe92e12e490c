#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each header of the C ABI by itself, and all of them twice, as C11 and as C++: headers.sh CC CXX INCLUDE_DIR
set -euo pipefail
cc=$1 cxx=$2 include=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-pedantic -Wall -Wextra -Werror -Wstrict-prototypes -fsyntax-only -I "$include")
checked=0
for header in "$include"/*.h; do
  name=${header##*/}
  {
    [[ $name != berth_unstable.h ]] || echo '#define BERTH_UNSTABLE'
    echo "#include <$name>"
    echo "#include <$name>"
    echo 'int berth_header_test(void);'
  } >"$work/one.c"
  cp "$work/one.c" "$work/one.cpp"
  "$cc" -std=c11 "${flags[@]}" "$work/one.c"
  for std in c++11 c++20; do
    "$cxx" -std=$std "${flags[@]:0:4}" -fsyntax-only -I "$include" "$work/one.cpp"
  done
  checked=$((checked + 1))
done
((checked >= 7)) || { echo "only $checked headers in $include" >&2; exit 1; }

# What neither ctypes nor cgo can see must not be there: function-like macros, bool, bit fields, varargs, enums as types.
cat "$include"/*.h | sed -e 's:/\*.*\*/::' -e '/^ \*/d' -e '/^\/\*/d' >"$work/code"
for wrong in '#define [A-Za-z_]*(' '\<bool\>' '\.\.\.' '\<long\>' '\<time_t\>' '^ *enum [a-z]' '[a-z_0-9]  *: *[0-9]'; do
  if grep -n -e "$wrong" "$work/code"; then
    echo "the headers hold '$wrong', which bindings cannot see" >&2
    exit 1
  fi
done

# Opaque without BERTH_UNSTABLE.
printf '#include <berth_unstable.h>\n' >"$work/unstable.c"
if "$cc" -std=c11 "${flags[@]}" "$work/unstable.c" 2>/dev/null; then
  echo "berth_unstable.h compiles without BERTH_UNSTABLE" >&2
  exit 1
fi
echo "$checked headers"
