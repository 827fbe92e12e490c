#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes src/berth/_blocking/ of the classes with coroutines, and with --check says whether it is current.

What AsyncFs has, Fs has without `await`: the public methods and properties of the one, with their signatures and
docstrings, are written into the base class BlockingFs of the other. Each is forwarded to the object with coroutines,
`aio`, unless PAIRS says why not. A class that has more to do overrides what it inherits.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent / "src" / "berth"
TARGET = PACKAGE / "_blocking"
WIDTH = 120


@dataclass
class Pair:
    """A blocking class of a module of the package, and AsyncNAME of another one, `source`."""

    name: str
    module: str
    source: str
    #: What is not forwarded, and why.
    apart: dict[str, str] = field(default_factory=dict)
    #: Coroutines without arguments that are properties of the blocking class.
    properties: tuple[str, ...] = ()
    #: Its constructor is for users: _of() makes one of the one with coroutines.
    has_maker: bool = False

    @property
    def maker(self) -> str:
        return "._of" if self.has_maker else ""


_WITHIN, _ITERATED, _MAKES = "for the package's own use", "iter() and str() do it", "by hand: makes one of cls"
PAIRS = (
    Pair("Stream", "_stream", "_streams", {"lines": _ITERATED, "whole": _ITERATED}),
    Pair("Stdin", "_stdin", "async_process", {"close_unasked": _WITHIN}),
    Pair("Process", "process", "async_process", dict.fromkeys(("begin", "text_of", "bytes_of"), _WITHIN)),
    Pair("DockerResult", "docker.result", "docker.async_result", properties=("success",)),
    Pair("Docker", "docker", "docker.async_docker", {"client": "by hand: made in the caller's thread"},
         properties=("host", "environment")),
    Pair("Fs", "fs", "async_fs"),
    Pair("Sandbox", "sandbox", "async_sandbox", {
        **dict.fromkeys(("attached", "created", "record", "start", "workdir"), _WITHIN),
        "connect": _MAKES, "list": _MAKES, "watch_events": "it goes on as long as the sandbox, unless it is cancelled",
    }, has_maker=True),
    Pair("SandboxPool", "pool", "async_pool"),
)  # fmt: skip
BY_COROUTINES = {f"Async{pair.name}": pair for pair in PAIRS}
Method = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A module of the package, by its dotted name below it."""

    def __init__(self, name: str) -> None:
        path = PACKAGE.joinpath(*name.split("."))
        self.name = name
        self.package = name.split(".")[: None if path.is_dir() else -1]
        text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
        self.lines = text.splitlines()
        #: name: (the module that it is imported from, "" for a module itself; as it is written there)
        self.imports: dict[str, tuple[str, str]] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                origin = self._origin(node) if isinstance(node, ast.ImportFrom) else ""
                for one in node.names:
                    written = f"{one.name} as {one.asname}" if one.asname else one.name
                    self.imports[one.asname or one.name] = (origin, written)

    def _origin(self, node: ast.ImportFrom) -> str:
        """As a module in _blocking writes it."""
        if not node.level:
            return str(node.module)
        above = self.package[: len(self.package) - node.level + 1]
        return ".." + ".".join([*above, *([node.module] if node.module else [])])


def call(indent: str, openings: list[str], arguments: list[str]) -> list[str]:
    """Calls, each the only argument of the one before, as the formatter has them."""
    whole, inner = "".join(openings) + ", ".join(arguments), indent + "    "
    closing = ")" * sum(one.endswith("(") for one in openings)
    if len(indent + whole + closing) <= WIDTH:
        return [indent + whole + closing]
    if len(openings) > 1:
        return [indent + openings[0], *call(inner, openings[1:], arguments), indent + ")"]
    joined = inner + ", ".join(arguments)
    within = [joined] if len(joined) <= WIDTH else [f"{inner}{one}," for one in arguments]
    return [indent + openings[0], *within, indent + ")"]


class File:
    """A module of _blocking: the base classes of a module's blocking ones."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.imports: set[tuple[str, str]] = set()
        self.body: list[str] = []

    def named(self, name: str, module: str) -> str:
        """How a name that a module of the package defines is written here."""
        self.imports.add((f"..{module}", name))
        return name

    def blocking(self, pair: Pair, own: str) -> str:
        """The class of a pair; `own` for the one that is derived from what is made here, which is not there yet."""
        return own if pair.module == self.module else self.named(pair.name, pair.module)

    def understood(self, text: str, nodes: ast.AST, source: Module, *, blocking: bool = False) -> str:
        """Annotations and defaults with names that mean the same here. blocking: a class of a pair is the other one."""
        for name in sorted({one.id for one in ast.walk(nodes) if isinstance(one, ast.Name)}):
            if blocking and (pair := BY_COROUTINES.get(name)):
                if pair.module == self.module:
                    self.imports.add(("typing", "Self"))
                text = re.sub(rf"\b{name}\b", self.blocking(pair, "Self"), text)
            elif name in source.imports:
                self.imports.add(source.imports[name])
            elif name in source.classes:
                text = re.sub(rf"\b{name}\b", self.named(name, source.name), text)
            elif not hasattr(builtins, name):
                raise SystemExit(f"{source.name}: where {name} comes from was not understood")
        return text

    def method(self, pair: Pair, method: Method, source: Module) -> list[str]:
        header = "\n".join(source.lines[method.lineno - 1 : method.body[0].lineno - 1])
        said = re.fullmatch(r" +(?:async )?def \w+\(\s*(.*?)(,?)\s*\) -> (.*):", header, re.S)
        if not said or not method.returns:
            raise SystemExit(f"{source.name}: the signature of {method.name} was not understood")
        parameters = re.sub(r"\n +", "\n", self.understood(said[1], method.args, source))
        result = self.understood(said[3], method.returns, source, blocking=True)
        property_there = any(isinstance(one, ast.Name) and one.id == "property" for one in method.decorator_list)

        lines = ["    @property"] if property_there or method.name in pair.properties else []
        whole = f"    def {method.name}({parameters}) -> {result}:"
        if said[2] or len(whole) > WIDTH:  # said[2]: a comma at the end, by which the formatter keeps one on each line
            given = [f"        {one}" for one in (parameters + said[2]).splitlines()]
            lines += [f"    def {method.name}(", *given, f"    ) -> {result}:"]
        else:
            lines.append(whole)
        if ast.get_docstring(method):
            lines += source.lines[method.body[0].lineno - 1 : method.body[0].end_lineno]

        takes = method.args
        arguments = [one.arg for one in [*takes.posonlyargs, *takes.args][1:]]
        arguments += [f"*{takes.vararg.arg}"] if takes.vararg else []
        arguments += [f"{one.arg}={one.arg}" for one in takes.kwonlyargs]
        arguments += [f"**{takes.kwarg.arg}"] if takes.kwarg else []
        calls = [f"self._aio.{method.name}" + ("" if property_there else "(")]
        if isinstance(method, ast.AsyncFunctionDef):
            self.imports.add((".._loop", "sync"))
            calls.insert(0, "sync(")
        written = ast.unparse(method.returns)
        if written in ("None", "Self"):
            return lines + call(" " * 8, calls, arguments) + (["        return self"] if written == "Self" else [])
        named = {one.id for one in ast.walk(method.returns) if isinstance(one, ast.Name)}
        for name in named & BY_COROUTINES.keys():
            other = BY_COROUTINES[name]
            maker = self.blocking(other, "self") + other.maker
            if not isinstance(method.returns, ast.Name):  # a list of them
                lines += call(" " * 8, ["made = " + calls[0], *calls[1:]], arguments)
                return [*lines, f"        return [{maker}(one) for one in made]"]
            calls.insert(0, f"{maker}(")
        return lines + call(" " * 8, ["return " + calls[0], *calls[1:]], arguments)

    def add(self, pair: Pair) -> None:
        source, name = Module(pair.source), f"Async{pair.name}"
        of = self.named(name, source.name)
        above = [BY_COROUTINES[one] for one in bases(source.classes[name]) if one in BY_COROUTINES]
        derived = f"({self.named(above[0].name, above[0].module)})" if above else ""
        self.body += [
            "", "", f"class Blocking{pair.name}{derived}:", f'    """What {pair.name} has of {name}."""', "",
            f"    _aio: {of}", "",
            f"    def {'_use' if pair.has_maker else '__init__'}(self, aio: {of}) -> None:",
            "        super().__init__(aio)" if above else "        self._aio = aio", "",
        ]  # fmt: skip
        if pair.has_maker:
            self.imports.add(("typing", "Self"))
            self.body += [
                "    @classmethod", f"    def _of(cls, aio: {of}) -> Self:",
                "        made = cls.__new__(cls)", "        made._use(aio)", "        return made", "",
            ]  # fmt: skip
        self.body += [
            "    @property", f"    def aio(self) -> {of}:",
            '        """The same with coroutines."""', "        return self._aio",
        ]  # fmt: skip
        found = list(methods(source, name))
        for module, method in found:
            if method.name not in pair.apart:
                self.body += ["", *self.method(pair, method, module)]
        if unknown := {*pair.apart, *pair.properties} - {method.name for _, method in found}:
            raise SystemExit(f"{name} has no {', '.join(sorted(unknown))}, of which PAIRS speaks")

    def text(self) -> str:
        absolute = [f"import {written}" for origin, written in sorted(self.imports) if not origin]
        relative: list[str] = []
        for origin in sorted({origin for origin, _ in self.imports if origin}):
            names = sorted(written for of, written in self.imports if of == origin)
            whole = f"from {origin} import {', '.join(names)}"
            broken = [f"from {origin} import (", *(f"    {one}," for one in names), ")"]
            (relative if origin.startswith(".") else absolute).extend([whole] if len(whole) <= WIDTH else broken)
        lines = [
            "# SPDX-License-Identifier: Apache-2.0",
            f'"""Of {self.module}. Made by generate_blocking.py of the classes with coroutines; do not edit."""',
            "", "from __future__ import annotations", "", *absolute, *([""] if absolute else []), *relative,
        ]  # fmt: skip
        return "\n".join(lines + self.body) + "\n"


def bases(of: ast.ClassDef) -> list[str]:
    return [one.id for one in of.bases if isinstance(one, ast.Name)]


def methods(module: Module, name: str) -> Iterator[tuple[Module, Method]]:
    """The public ones, those of bases first that are no pair's."""
    for base in bases(module.classes[name]):
        if base not in BY_COROUTINES and base in module.imports:
            yield from methods(Module(module.imports[base][0].lstrip(".")), base)
    for node in module.classes[name].body:
        if isinstance(node, Method) and not node.name.startswith("_"):
            yield module, node


def made() -> dict[Path, str]:
    files: dict[str, File] = {}
    for pair in PAIRS:
        files.setdefault(pair.module, File(pair.module)).add(pair)
    texts = {TARGET / f"{name.lstrip('_').replace('.', '_')}.py": file.text() for name, file in files.items()}
    about = '"""Bases of the classes without coroutines. Made by generate_blocking.py; do not edit."""'
    return texts | {TARGET / "__init__.py": f"# SPDX-License-Identifier: Apache-2.0\n{about}\n"}


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = [(path, text) for path, text in made().items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        if check:
            print(f"{path} is not what the classes with coroutines have; run {sys.argv[0]}", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
