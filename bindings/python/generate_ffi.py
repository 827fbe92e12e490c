#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes src/berth/_declarations.py of the headers in capi/include, and with --check says whether it is current.

The headers keep to what ctypes can see (no macros to call, no bit fields, no callbacks), in a style regular enough to
be read by patterns; what these do not match ends the script.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADERS = [f"berth_{noun}.h" for noun in ("base", "spec", "runsc", "loop", "exec", "sandbox", "files")]
TARGET = HERE / "src" / "berth" / "_declarations.py"

_INTEGERS = {"int32_t", "uint32_t", "int64_t", "uint64_t", "size_t", "berth_status", "void"}


def headers_text() -> str:
    include = HERE.parent.parent / "capi" / "include"
    text = "\n".join((include / name).read_text(encoding="utf-8") for name in HEADERS)
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"^\s*#.*$", "", text, flags=re.M)


def type_name(text: str) -> str:
    """The type of a parameter or result without its name: "int32_t", "berth_loop *", "char *"."""
    text = re.sub(r"\bconst\b", " ", text)
    stars = text.count("*")
    words = text.replace("*", " ").split()
    base = words[0]
    if stars == 0 and base not in _INTEGERS:
        raise SystemExit(f"unknown type: {text!r}")
    return base + "*" * stars


def functions(text: str) -> list[tuple[str, str, list[str]]]:
    found = []
    for m in re.finditer(r"BERTH_API\s+([^;]*?)\b(berth_\w+)\s*\(([^;]*)\)\s*;", text):
        result, name, parameters = m.groups()
        listed = [" ".join(p.split()) for p in parameters.split(",")]
        arguments = [] if listed == ["void"] else [type_name(p) for p in listed]
        found.append((name, type_name(result), arguments))
    if len(found) != text.count("BERTH_API "):
        raise SystemExit(f"{text.count('BERTH_API ')} functions are declared, {len(found)} were understood")
    return found


def structures(text: str) -> list[tuple[str, list[tuple[str, str, int]]]]:
    found = []
    for m in re.finditer(r"typedef struct (berth_\w+) \{(.*?)\} \1;", text, re.S):
        fields = []
        for declaration in m.group(2).split(";"):
            if not declaration.strip():
                continue
            d = re.fullmatch(r"\s*([\w ]+?[\s*]+)(\w+)(?:\[(\d+)\])?\s*", declaration)
            if not d:
                raise SystemExit(f"field not understood: {declaration!r}")
            fields.append((d.group(2), type_name(d.group(1)), int(d.group(3) or 0)))
        found.append((m.group(1), fields))
    return found


def constants(text: str) -> list[tuple[str, int]]:
    found = []
    for body in re.findall(r"\benum \{(.*?)\};", text, re.S):
        for entry in body.split(","):
            if entry.strip():
                name, _, value = entry.partition("=")
                found.append((name.strip(), int(value)))
    return found


def module() -> str:
    text = headers_text()
    handles = re.findall(r"typedef struct (berth_\w+) \1;", text)
    version = re.search(
        r"#define BERTH_ABI_VERSION (\d+)u",
        (HERE.parent.parent / "capi" / "include" / "berth_base.h").read_text(encoding="utf-8"),
    )
    assert version
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        '"""What the C headers declare. Made by generate_ffi.py; do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        f"ABI_VERSION = {version.group(1)}",
        "",
        "#: Opaque types.",
        "HANDLES: tuple[str, ...] = (",
        *[f'    "{name}",' for name in handles],
        ")",
        "",
        "#: name: ((field, type, array length or 0), …)",
        "STRUCTURES: dict[str, tuple[tuple[str, str, int], ...]] = {",
    ]
    for name, fields in structures(text):
        lines.append(f'    "{name}": (')
        lines.extend(f'        ("{field}", "{kind}", {length}),' for field, kind, length in fields)
        lines.append("    ),")
    lines += ["}", "", "#: name: (result, (parameter, …))", "FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {"]
    for name, result, arguments in functions(text):
        listed = "".join(f'"{a}", ' for a in arguments).rstrip()
        if len(arguments) != 1:
            listed = listed.rstrip(",")
        line = f'    "{name}": ("{result}", ({listed})),'
        lines.append(line if len(line) <= 120 else line + "  # noqa: E501")
    lines += ["}", ""]
    lines += [f"{name} = {value}" for name, value in constants(text)]
    return "\n".join(lines) + "\n"


def main() -> int:
    made = module()
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text(encoding="utf-8") != made:
            print(f"{TARGET} is not what the headers declare; run {sys.argv[0]}", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
