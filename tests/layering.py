#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a file includes a layer to its right or the detail/ of another, when a layer's src.hpp forgets a body, when
berth.hpp forgets a header, or when a body would meet a header that is half read. The same for the folders of src/guest, which the files beside them put together.

    layering.py SOURCE_TREE          checks
    layering.py SOURCE_TREE --fix    writes include/berth/berth.hpp anew, then checks
"""

import re
import sys
from pathlib import Path

LAYERS = [
    "base",
    "spec",
    "runsc",
    "process",
    "readiness",
    "network",
    "guest",
    "sandbox",
    "docker",
    "managed",
    "snapshot",
]
GUEST_FOLDERS = ["base", "files", "commands", "runtime", "start", "docker", "checkpoint", "host"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]berth/([^>"]+)[>"]', re.M)

QUOTED = re.compile(r'^\s*#\s*include\s*"([^/">]+)/[^">]+"', re.M)

UMBRELLA = """// SPDX-License-Identifier: Apache-2.0
// The whole library: every public header, layer by layer.
#pragma once

#include <berth/config.hpp>

{}"""


def layer_of(path: str) -> str | None:
    """The layer of a path below include/berth, or None for what belongs to none (config, berth, src)."""
    parts = path.split("/")
    if parts[0] == "impl":
        parts = parts[1:]
    if len(parts) == 1:
        return None
    return parts[0]


def public_headers(root: Path) -> list[str]:
    include = root / "include/berth"
    found = []
    for layer in LAYERS:
        for file in sorted((include / layer).glob("*.hpp")):
            if file.name != "src.hpp":
                found.append(f"{layer}/{file.name}")
    return found


def umbrella(root: Path) -> str:
    blocks = []
    for layer in LAYERS:
        lines = [f"#include <berth/{h}>" for h in public_headers(root) if h.startswith(layer + "/")]
        if lines:
            blocks.append("\n".join(lines) + "\n")
    return UMBRELLA.format("\n".join(blocks))


def check_edges(root: Path) -> list[str]:
    errors = []
    include = root / "include/berth"
    files = [(f, f.relative_to(include).as_posix()) for f in sorted(include.rglob("*")) if f.suffix in (".hpp", ".ipp")]
    files += [(f, f"{f.stem}/{f.name}") for f in sorted((root / "src").glob("*.cpp")) if f.stem in LAYERS]
    for file, inside in files:
        own = layer_of(inside)
        where = file.relative_to(root)
        if own is None:
            continue
        if own not in LAYERS:
            errors.append(f"{where}: '{own}' is no layer; the layers are {' '.join(LAYERS)}")
            continue
        text = file.read_text()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            target = match.group(1)
            other = layer_of(target)
            if other is None:
                if target != "config.hpp":
                    errors.append(f"{where}:{line}: includes berth/{target}, which takes every layer in")
            elif other not in LAYERS:
                errors.append(f"{where}:{line}: berth/{target} is in no layer")
            elif LAYERS.index(other) > LAYERS.index(own):
                errors.append(
                    f"{where}:{line}: {own} must not know {other} (berth/{target}); the data flows "
                    f"{' -> '.join(LAYERS)}"
                )
            elif other != own and "/detail/" in target:
                errors.append(
                    f"{where}:{line}: berth/{target} is {other}'s own; {own} takes what {other} declares in "
                    f"include/berth/{other}"
                )
    return errors


def check_details(root: Path) -> list[str]:
    """What is put together of layers takes what they declare for everybody."""
    errors = []
    files = [f for f in sorted((root / "src").glob("*/**/*")) if f.suffix in (".hpp", ".cpp")]
    for folder in ("capi", "benchmarks", "examples"):
        files += [f for f in sorted((root / folder).rglob("*")) if f.suffix in (".h", ".hpp", ".cpp")]
    for file in files:
        for target in INCLUDE.findall(file.read_text()):
            if "/detail/" in target or target.startswith("impl/"):
                errors.append(f"{file.relative_to(root)}: berth/{target} is {layer_of(target)}'s own")
    return errors


def check_guest(root: Path) -> list[str]:
    errors = []
    for file in sorted((root / "src/guest").glob("*/*")):
        own = file.parent.name
        where = file.relative_to(root)
        if own not in GUEST_FOLDERS:
            errors.append(f"{where}: '{own}' is no folder of the guest's; they are {' '.join(GUEST_FOLDERS)}")
            continue
        for other in QUOTED.findall(file.read_text()):
            if other in GUEST_FOLDERS and GUEST_FOLDERS.index(other) > GUEST_FOLDERS.index(own):
                errors.append(
                    f"{where}: the guest's {own} must not know {other}; the data flows {' -> '.join(GUEST_FOLDERS)}"
                )
    return errors


def compiled(include: Path, first: str) -> set[str]:
    """The bodies that a src.hpp compiles: those it names, and those that these include in turn."""
    seen: set[str] = set()
    queue = [first]
    while queue:
        file = include / queue.pop()
        for name in INCLUDE.findall(file.read_text()) if file.exists() else []:
            if name.endswith(".ipp") and name not in seen:
                seen.add(name)
                queue.append(name)
    return seen


def check_lists(root: Path) -> list[str]:
    errors = []
    include = root / "include/berth"
    for layer in LAYERS:
        bodies = {f"impl/{layer}/{f.name}" for f in (include / "impl" / layer).glob("*.ipp")}
        source_list = include / layer / "src.hpp"
        for missing in sorted(bodies - compiled(include, f"{layer}/src.hpp")):
            errors.append(
                f"include/berth/{layer}/src.hpp does not list berth/{missing}: its body would not be compiled"
            )
        if source_list.exists() and not (root / "src" / f"{layer}.cpp").exists():
            errors.append(f"src/{layer}.cpp is missing: the bodies of {layer} would not be compiled")
    all_lists = include / "src.hpp"
    if all_lists.exists():
        listed = set(INCLUDE.findall(all_lists.read_text()))
        for layer in LAYERS:
            if (include / layer / "src.hpp").exists() and f"{layer}/src.hpp" not in listed:
                errors.append(f"include/berth/src.hpp does not list berth/{layer}/src.hpp")
    whole = include / "berth.hpp"
    listed = set(INCLUDE.findall(whole.read_text())) if whole.exists() else set()
    for missing in [h for h in public_headers(root) if h not in listed]:
        errors.append(f"include/berth/berth.hpp does not include berth/{missing} (tests/layering.py . --fix writes it)")
    return errors


def unfinished_headers(include: Path, first: str) -> list[tuple[str, str]]:
    """(file, header) for each header that a file includes while it is still being read, where `first` is included alone and
    header-only. A header whose end is reached, where it takes its bodies in, has declared all it has to."""
    found: list[tuple[str, str]] = []
    begun: set[str] = set()
    open_headers: set[str] = set()

    def read(name: str) -> None:
        begun.add(name)
        open_headers.add(name)
        file = include / name
        for other in INCLUDE.findall(file.read_text()) if file.exists() else []:
            if other.endswith(".ipp"):
                open_headers.discard(name)
            if other not in begun:
                read(other)
            elif other in open_headers and other.endswith(".hpp"):
                found.append((name, other))
        open_headers.discard(name)

    read(first)
    return found


def check_order(root: Path) -> list[str]:
    include = root / "include/berth"
    errors = {}
    for first in [*public_headers(root), "berth.hpp"]:
        for file, header in unfinished_headers(include, first):
            errors.setdefault(
                (file, header),
                f"include/berth/{file} includes berth/{header} in the middle of it, where somebody includes "
                f"berth/{first} alone and header-only",
            )
    return list(errors.values())


def main() -> int:
    root = Path(sys.argv[1])
    if "--fix" in sys.argv[2:]:
        (root / "include/berth/berth.hpp").write_text(umbrella(root))
    errors = check_edges(root) + check_details(root) + check_guest(root) + check_lists(root) + check_order(root)
    for error in errors:
        print(error, file=sys.stderr)
    print(f"layering: {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
