#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The set-up's and the test run's own judgement: what is new enough, and what counts as having run.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BERTH_CACHE=$work/cache
. "$source/scripts/common.sh"
. "$source/scripts/setup.d/runsc.sh"
. "$source/scripts/setup.d/go.sh"
. "$source/scripts/setup.d/packages.sh"

failures=0
expect() { # expect yes|no WHAT CMD...
  local want=$1 what=$2 got=yes
  shift 2
  "$@" >"$work/out" 2>&1 || got=no
  if [[ $got != "$want" ]]; then
    echo "FAILED: $what: expected $want, got $got: $(cat "$work/out")"
    failures=$((failures + 1))
  fi
}

program() { # program FILE TEXT: a program that prints TEXT
  printf '#!/bin/sh\necho "%s"\n' "$2" >"$work/$1"
  chmod +x "$work/$1"
}

program new "runsc version release-$runsc_min.0"
program patch "runsc version release-${runsc_min}.1-3-gabcdef"
program old "runsc version release-20240729.0"
program odd "runsc version VERSION_MISSING"
for name in new patch; do expect yes "runsc $name" runsc_is_fit "$work/$name"; done
for name in old odd absent; do expect no "runsc $name" runsc_is_fit "$work/$name"; done

program go-new "go$go_min"
program go-newer "go1.100.0"
program go-old "go1.19.8"
program go-none ""
for name in go-new go-newer; do expect yes "$name" go_is_fit "$work/$name"; done
for name in go-old go-none absent; do expect no "$name" go_is_fit "$work/$name"; done

expect no "an unfit BERTH_RUNSC" env BERTH_RUNSC="$work/old" "$source/scripts/setup" runsc
expect no "an unknown step" "$source/scripts/setup" everything
expect no "an unknown part" "$source/scripts/test" everything
expect no "--print before any set-up" "$source/scripts/setup" --print

report() { # report FILE CASE
  printf '<testsuite name="x"><testcase name="a" status="run"/>%s</testsuite>' "$2" >"$work/$1"
}
report ran.xml '<testcase name="b" status="run"/>'
report skipped.xml '<testcase name="b" status="run"><skipped message="no runsc"/></testcase>'
report notrun.xml '<testcase name="b" status="notrun"/>'
report disabled.xml '<testcase name="b" status="disabled"/>'
report fail.xml '<testcase name="b" status="fail"><failure message="Failed"/><system-out>the reason</system-out></testcase>'
expect yes "a report of tests that ran" python3 "$source/scripts/failed.py" "$work/ran.xml"
for name in skipped notrun disabled fail; do
  expect no "a report with a test that is $name" python3 "$source/scripts/failed.py" "$work/$name.xml"
done
grep -q 'the reason' "$work/out" || { echo "FAILED: the output of a failed test was not shown"; failures=1; }

# A ctest of which b fails: the first time, always, or with others beside it.
remarks=$work/remarks
. "$source/scripts/ctest.sh"
fake_ctest() {
  local report=$5 # after ctest --test-dir DIR --output-junit
  attempts=$((attempts + 1))
  case $kind in
    once) if ((attempts == 1)); then cp "$work/fail.xml" "$report" && return 8; else cp "$work/ran.xml" "$report"; fi ;;
    skipped) cp "$work/skipped.xml" "$report" ;;
    *) cp "$work/$kind.xml" "$report" && return 8 ;;
  esac
}
around_ctest=(fake_ctest)
fake_ctest_run() {
  kind=$1 attempts=0
  (cd "$work" && run_ctest_twice . fake)
}
report many.xml "$(for name in b c d e f; do
  printf '<testcase name="%s" status="fail"><failure message="Failed"/></testcase>' "$name"
done)"
expect yes "a test that fails once" fake_ctest_run once
grep -q '^passed at the second attempt only: b' "$remarks.again" || { echo "FAILED: a second attempt was not told"; failures=1; }
for name in fail many skipped; do expect no "a run with a test that fails twice: $name" fake_ctest_run "$name"; done

if ((EUID == 0)) && command -v setpriv >/dev/null; then
  expect no "the integration tests without root" setpriv --reuid=65534 --regid=65534 --clear-groups \
    env HOME="$work" BERTH_CACHE="$work/nobody" bash "$source/scripts/test" integration
  grep -q 'needs root' "$work/out" || { echo "FAILED: no word about root: $(cat "$work/out")"; failures=1; }
fi

quietly "a command that works" true 2>"$work/out"
expect no "a command that fails" quietly "failing" sh -c 'echo the reason; exit 3'
grep -q 'the reason' "$work/out" || { echo "FAILED: the log's end was not shown"; failures=1; }

echo "$failures failures"
exit $((failures > 0))
