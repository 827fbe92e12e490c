# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Running ctest and judging what it reports. Sourced, after common.sh, by what sets remarks: the file that gets what failed.

around_ctest=(env) # a command in front of ctest
second_attempts=4 # so many tests of a run may have one

# run_ctest DIR NAME ARGS...: ctest; fails also where a test was skipped, or none was found.
run_ctest() {
  local directory=$1 report=$PWD/$1/report-$2.xml status=0
  shift 2
  rm -f "$report"
  "${around_ctest[@]}" ctest --test-dir "$directory" --output-junit "$report" --no-tests=error "$@" || status=$?
  [[ -f $report ]] || return "$((status ? status : 1))"
  python3 "$berth_source/scripts/failed.py" "$report" >"$remarks" || status=1
  return "$status"
}

# run_ctest_twice DIR NAME ARGS...: as run_ctest, but a test or a few that failed are run once more, one by one. They share
# the machine with others whose load nobody here sees, and one lost datagram or a late process must not hide what a
# thousand other tests say. Nothing is hidden either: the first failure is printed, and the table names the test.
run_ctest_twice() {
  local directory=$1 name=$2 first=$remarks.first failed
  run_ctest "$@" && return
  grep -q '^did not run: ' "$remarks" && return 1
  failed=$(grep -c '^failed: ' "$remarks") || return 1
  ((failed <= second_attempts)) || return 1
  mv "$remarks" "$first"
  say "$failed of the tests failed, and get a second attempt"
  run_ctest "$directory" "$name-again" --rerun-failed || return
  # In a file of its own: the next run's remarks take the place of these.
  sed -n 's/^failed: /passed at the second attempt only: /p' "$first" >>"$remarks.again"
}
