#!/usr/bin/env python3
"""Fails when ctest's JUnit report holds a test that did not run: skipped.py REPORT."""
import sys
import xml.etree.ElementTree as ElementTree

cases = list(ElementTree.parse(sys.argv[1]).iter("testcase"))
idle = [c for c in cases if c.find("skipped") is not None or c.get("status") in ("notrun", "disabled")]
for case in idle:
    reason = case.find("skipped")
    why = (reason.get("message") or "").strip() if reason is not None else ""
    print(f"did not run: {case.get('name')} {why}".rstrip(), file=sys.stderr)
if idle:
    sys.exit(f"{len(idle)} of {len(cases)} tests did not run, and a test that is skipped proves nothing: see above")
