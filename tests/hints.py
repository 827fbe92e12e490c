#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/hints.py ROOT: what the library says reads well for whoever uses it from C++, C, Go or Python: no sentence in its sources
speaks of a verb or a flag of the berth command. options/hints.toml has the words for that.
"""

from __future__ import annotations

import pathlib
import re
import sys
import tomllib

STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def flags_of_berth(root: pathlib.Path) -> set[str]:
    """Those that neither runsc nor its verbs have."""
    found: dict[bool, set[str]] = {False: set(), True: set()}
    for name in ("sandbox", "docker", "exec", "command", "runsc"):
        for set_name, body in tomllib.loads((root / "options" / f"{name}.toml").read_text(encoding="utf-8")).items():
            for option in body.values():
                if isinstance(option, dict) and "flag" in option:
                    names = option["flag"].partition(" ")[0].split(",")
                    found[set_name in ("runsc", "runsc_globals")].update(
                        flag for flag in names if flag.startswith("--")
                    )
    return found[False] - found[True] - {"--name"}  # a placeholder in other sentences


def verbs(root: pathlib.Path) -> set[str]:
    table = (root / "src" / "cli" / "command.cpp").read_text(encoding="utf-8")
    return set(re.findall(r'\{"([a-z]+)", "[^"]*", add_', re.sub(r"\s+", " ", table)))


def complaints(text: str, pattern: re.Pattern[str]) -> list[str]:
    # Strings first: a comment's mark in one is none.
    words = re.sub(STRING.pattern + "|" + COMMENT.pattern, lambda m: m[0] if m[0][0] == '"' else " ", text, flags=re.S)
    joined = re.sub(r'"\s*\n\s*"', "", words)
    # One word is an argument of a program's, and no sentence.
    return [m[0] for m in STRING.finditer(joined) if " " in m[0].strip('" ') and pattern.search(m[0])]


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    flags, known = flags_of_berth(root), verbs(root)
    if not {"--data-root", "--dockerd-arg", "--docker"} <= flags or not {"run", "rm", "gc"} <= known:
        print(f"the flags or the verbs were not found: {sorted(flags)} {sorted(known)}", file=sys.stderr)
        return 1
    pattern = re.compile(
        r"\bberth (?:" + "|".join(sorted(known)) + r")\b|(?:" + "|".join(sorted(flags)) + r")(?![\w-])"
    )
    for bad in (
        'f("remove it: berth rm " + id)',
        'f("a larger size (--data-root tmpfs:SIZE)")',
        'f("see "\n  "berth gc")',
    ):
        if not complaints(bad, pattern):
            print(f"this test does not see {bad!r}", file=sys.stderr)
            return 1
    failed = 0
    for path in sorted((root / "include" / "berth").rglob("*.[ih]pp")):
        for sentence in complaints(path.read_text(encoding="utf-8"), pattern):
            print(f"{path.relative_to(root)}: {sentence} speaks of the command; options/hints.toml is for that")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
