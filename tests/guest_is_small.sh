#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# guest_is_small.sh PROGRAM BYTES: fails where the program is as large as that.
set -euo pipefail
size=$(stat -c %s "$1")
if ((size >= $2)); then
  echo "$1 has $size bytes, and has to stay under $2: \`nm -S --size-sort -C\` of it before it is stripped says what is in there" >&2
  exit 1
fi
echo "$size bytes"
