#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What callers were compiled for, against the checked-in baseline: abidiff.sh CC SOURCE_DIR
# The ABI is what the headers say: the library's own sources include them, so that a definition that differs does not
# compile or is no longer the declared symbol, which symbols.sh tells. So it is read from a C library made of the
# declarations alone, which keeps thousands of C++ types out of the comparison.
# BERTH_UPDATE=1 writes the baseline anew: for what is compatible, or before a first release.
set -euo pipefail
cc=$1 source=$2
here=$source/tests/abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$source/capi/include" >"$work/abi.c" <<'PYTHON'
import pathlib, re, sys
print('#define BERTH_UNSTABLE\n#include <berth.h>\n#include <berth_unstable.h>')
for header in sorted(pathlib.Path(sys.argv[1]).glob('*.h')):
    text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.S)
    for declaration in re.findall(r'^BERTH_API ([^;]+);', text, flags=re.M):
        print(declaration, '{ __builtin_trap(); }')
PYTHON
"$cc" -std=c11 -g -O0 -fPIC -shared -fvisibility=hidden -fdebug-prefix-map="$work"=. -I "$source/capi/include" \
  -Wl,-soname,libberth.so.0 -Wl,--version-script="$source/capi/berth.map" -o "$work/libberth.so.0" "$work/abi.c"
abidw --no-corpus-path --no-comp-dir-path --no-show-locs "$work/libberth.so.0" >"$work/new.abi"
grep -q "name='berth_event' size-in-bits='512'" "$work/new.abi" ||
  { echo "no types were found: nothing could be compared" >&2; exit 1; }
# Constants leave no trace in a library: "NAME value" a line.
python3 - "$source/capi/include" >"$work/constants" <<'PYTHON'
import pathlib, re, sys
for header in sorted(pathlib.Path(sys.argv[1]).glob('*.h')):
    text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.S)
    for body in re.findall(r'^enum \{(.*?)\};', text, flags=re.M | re.S):
        for name, value in re.findall(r'(BERTH_\w+) = (-?\d+)', body):
            print(name, value)
PYTHON
if [[ ${BERTH_UPDATE:-} == 1 ]]; then
  cp "$work/new.abi" "$here/libberth-0.abi"
  cp "$work/constants" "$here/constants"
fi
status=0
abidiff --suppressions "$here/suppressions" "$here/libberth-0.abi" "$work/new.abi" || status=$?
# A bit field: 1 and 2 are errors of the tool, 4 is a change of the ABI, 8 an incompatible one.
((status == 0)) || { echo "abidiff: $status" >&2; exit 1; }
export LC_ALL=C
if gone=$(comm -23 <(sort "$here/constants") <(sort "$work/constants")) && [[ -n $gone ]]; then
  printf 'constants that are gone or have another value:\n%s\n' "$gone" >&2
  exit 1
fi
if again=$(cut -d' ' -f1 "$work/constants" | sort | uniq -d) && [[ -n $again ]]; then
  printf 'constants that stand twice:\n%s\n' "$again" >&2
  exit 1
fi
echo "$(grep -c '<function-decl' "$work/new.abi") functions, $(wc -l <"$work/constants") constants"
