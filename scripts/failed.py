#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What of ctest's JUnit report did not pass, with the end of each test's output: failed.py REPORT.

Exits with 1 where there is any; a test that was skipped is one, since it proves nothing.
"""

import sys
import xml.etree.ElementTree as ElementTree

LINES = 25  # of a failed test's output

cases = list(ElementTree.parse(sys.argv[1]).iter("testcase"))
idle = [c for c in cases if c.find("skipped") is not None or c.get("status") in ("notrun", "disabled")]
broken = [c for c in cases if c not in idle and c.find("failure") is not None]
for case in broken:
    reason = case.find("failure").get("message") or ""
    print(f"failed: {case.get('name')} after {float(case.get('time', '0')):.1f} s {reason}".rstrip())
    for line in (case.findtext("system-out") or "").rstrip().splitlines()[-LINES:]:
        print(f"    {line}")
for case in idle:
    reason = case.find("skipped")
    why = (reason.get("message") or "").strip() if reason is not None else ""
    print(f"did not run: {case.get('name')} {why}".rstrip())
if broken or idle:
    print(f"{len(broken)} of {len(cases)} tests failed, {len(idle)} did not run")
    sys.exit(1)
