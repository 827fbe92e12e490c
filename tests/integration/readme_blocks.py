#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes each code block of a Markdown file into a file of its own, DIRECTORY/N.LANGUAGE, and prints the names.

readme_blocks.py FILE DIRECTORY [LANGUAGE...]: fails on a block without a language, or of one that is not listed, and
where a listed language has no block: whoever adds a block says how it is tested.
"""

import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
directory = pathlib.Path(sys.argv[2])
known = set(sys.argv[3:])
seen = set()
fence = None
for number, line in enumerate(text.splitlines(), 1):
    if fence is None:
        if match := re.match(r"```(\S*)$", line):
            language = match[1]
            if language not in known:
                sys.exit(f"{sys.argv[1]}:{number}: a block of '{language}' is not tested")
            seen.add(language)
            fence, body = number, []
        elif line.lstrip().startswith("```"):
            sys.exit(f"{sys.argv[1]}:{number}: a fence that this test does not understand")
    elif line == "```":
        name = f"{fence}.{language}"
        (directory / name).write_text("\n".join(body) + "\n", encoding="utf-8")
        print(name)
        fence = None
    else:
        body.append(line)
if fence is not None:
    sys.exit(f"{sys.argv[1]}:{fence}: the block does not end")
if missing := known - seen:
    sys.exit(f"{sys.argv[1]}: there is no block of {', '.join(sorted(missing))}")
