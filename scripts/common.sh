# SPDX-License-Identifier: Apache-2.0
# What the scripts share: progress lines, the cache, the lock. Sourced, never run.
# shellcheck shell=bash

berth_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/versions.sh
. "$berth_source/scripts/versions.sh"

berth_cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/berth}
# Nested scripts count from the same start.
export BERTH_START=${BERTH_START:-$(date +%s)}

# ccache stays out of nobody's way: its own directory in the cache unless the caller has one.
export CCACHE_DIR=${CCACHE_DIR:-$berth_cache/ccache}

# say TEXT: a progress line with the seconds since the start.
say() { printf '[%4ds] %s\n' $(($(date +%s) - BERTH_START)) "$*" >&2; }

# die TEXT: says what failed and what to do, and ends.
die() {
  say "error: $*"
  exit 1
}

# quietly TITLE CMD...: runs a long command with its output in a log; a line every 15 s, the log's end when it fails.
quietly() {
  local title=$1 log status=0 pid began
  shift
  mkdir -p "$berth_cache/log"
  log=$berth_cache/log/$(tr -c 'a-zA-Z0-9\n' - <<<"$title").log
  say "$title ..."
  began=$(date +%s)
  "$@" >"$log" 2>&1 </dev/null 8>&- &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if (($(date +%s) - began >= 15)); then
      began=$(date +%s)
      say "  ... $(tail -n 1 "$log" | tr -d '\r' | cut -c1-90)"
    fi
  done
  wait "$pid" || status=$?
  if ((status)); then
    tail -n 30 "$log" | sed 's/^/    /' >&2
    say "$title: failed with $status; the whole output is in $log"
    return "$status"
  fi
}

# locked: from here to the end of this shell, no other set-up works in this cache.
locked() {
  mkdir -p "$berth_cache"
  # Root file systems with setuid programs will lie there: nobody else is to get at them, wherever the cache is.
  for kept in rootfs registry; do
    mkdir -p "$berth_cache/$kept"
    chmod 0700 "$berth_cache/$kept"
  done
  exec 8>"$berth_cache/lock"
  if ! flock -n 8; then
    say "another set-up is at work in $berth_cache; waiting for it"
    flock 8
  fi
}

need_root() {
  if ((EUID != 0)); then
    die "$1 needs root: namespaces, mounts and cgroups are made. Run it as root (sudo -E make ...)"
  fi
}

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# recipe_hash TEXT...: twelve hex digits that change with the recipe.
recipe_hash() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }
