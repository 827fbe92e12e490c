#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The exported symbols against the checked-in list, and against those of the first release: symbols.sh LIBRARY SOURCE_DIR
# BERTH_UPDATE=1 writes capi/berth.symbols anew.
set -euo pipefail
library=$1 source=$2
export LC_ALL=C
symbols() { nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sed 's/@@*/ /' | sort; }
list=$source/capi/berth.symbols
if [[ ${BERTH_UPDATE:-} == 1 ]]; then
  symbols >"$list"
fi
if ! diff -u "$list" <(symbols); then
  echo "the library exports something else than capi/berth.symbols says; a new function goes into a new node of" \
    "capi/berth.map, and BERTH_UPDATE=1 $0 $* writes the list" >&2
  exit 1
fi
# What a header declares is there, and nothing is there that no header declares.
declared=$(cat "$source"/capi/include/*.h | tr '\n' ' ' | grep -oE 'BERTH_API [^;]*' |
  grep -oE 'berth_[a-z0-9_]+\(' | tr -d '(' | sort -u)
exported=$(symbols | cut -d' ' -f1)
if ! diff -u <(echo "$declared") <(echo "$exported"); then
  echo "the headers and the library differ" >&2
  exit 1
fi
# Names of a release stay, in their node.
for old in "$source"/tests/abi/released-*.symbols; do
  [[ -e $old ]] || continue
  if gone=$(comm -23 "$old" <(symbols)) && [[ -n $gone ]]; then
    printf 'gone since %s:\n%s\n' "${old##*/}" "$gone" >&2
    exit 1
  fi
done
soname=$(readelf -d "$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
abi=$(sed -n 's/^#define BERTH_ABI_VERSION \([0-9]*\)u$/\1/p' "$source/capi/include/berth_base.h")
[[ $soname == "libberth.so.$abi" ]] || { echo "SONAME is $soname, the header's ABI is $abi" >&2; exit 1; }
echo "$(symbols | wc -l) symbols, $soname"
