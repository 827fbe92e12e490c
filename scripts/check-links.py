#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where a Markdown file links to a file, or a heading of one, that is not there: check-links.py FILE..."""

import pathlib
import re
import sys


def headings(text: str) -> set[str]:
    """The anchors of a Markdown file, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    found = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


wrong = 0
for name in sys.argv[1:]:
    file = pathlib.Path(name)
    for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        if not target.exists():
            print(f"{name}: {link}: there is no such file")
            wrong += 1
        elif anchor and anchor not in headings(target.read_text(encoding="utf-8")):
            print(f"{name}: {link}: the file has no such heading")
            wrong += 1
sys.exit(1 if wrong else 0)
