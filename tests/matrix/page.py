# SPDX-License-Identifier: Apache-2.0
"""Results of the matrix: what is expected of them, and the page that shows them."""

import dataclasses
import fnmatch
import json
import subprocess
from pathlib import Path

from box import scenarios

KIND = {"works": "works", "works by": "works", "refused": "refused", "FAILS": "fails"}


@dataclasses.dataclass
class Limit:
    scenario: str
    runsc: str
    docker: str
    result: str
    reason: str

    def holds(self, result: str) -> bool:
        return KIND[result] == self.result or self.result == "varies"


class Limits:
    """The file of what is known not to work: scenario, runsc, Docker, result, reason. The first line that fits holds."""

    def __init__(self, path: Path):
        self.lines = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                words = line.split(maxsplit=4)
                if len(words) < 5 or words[3] not in ("refused", "fails", "varies"):
                    raise SystemExit(f"{path}:{number}: not SCENARIO RUNSC DOCKER refused|fails|varies REASON")
                self.lines.append(Limit(*words))

    def names(self) -> set[str]:
        return {limit.scenario for limit in self.lines}

    def expected(self, scenario: str, runsc: str, docker: str) -> Limit:
        for limit in self.lines:
            fits = fnmatch.fnmatch(runsc, limit.runsc) and any(
                fnmatch.fnmatch(docker, one) for one in limit.docker.split(",")
            )
            if limit.scenario == scenario and fits:
                return limit
        return Limit(scenario, runsc, docker, "works", "")


def read_results(directory: Path) -> dict[tuple[str, str, str], dict]:
    found = {}
    for path in directory.glob("*/*/*.json"):
        found[path.parts[-3], path.parts[-2], path.stem] = json.loads(path.read_text())
    return found


def version_key(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def write(path: Path, results: dict, limits: Limits, berth: str) -> None:
    version = subprocess.run([berth, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    runscs = sorted({runsc for runsc, _, _ in results}, key=version_key, reverse=True)
    notes: dict[str, int] = {}

    def note(text: str) -> str:
        return f" [{notes.setdefault(text, len(notes) + 1)}](#notes)"

    def cell(name: str, runsc: str, docker: str) -> str:
        got = results.get((runsc, docker, name))
        if got is None or got["result"] == "not run":
            return "–"
        result, words = got["result"], got["words"]
        expected = limits.expected(name, runsc, docker)
        if not expected.holds(result):
            return f"**{result}**, not expected" + note(words[:300])
        if expected.result == "varies":
            return "works mostly" + note(expected.reason)
        if result == "works":
            return "works"
        if result == "works by":
            return "works by" + note(words)
        if result == "refused":
            return "refused" + note(words if name != "ready" else expected.reason + " berth says: " + words)
        return "fails" + note(expected.reason)

    out = [
        "# What works on which runsc and Docker",
        "",
        f"Made by `make matrix` with berth {version}; not to be edited. Each scenario is run in a sandbox of `berth run --docker`, with the",
        "default options, for each pair, by [tests/matrix](../tests/matrix).",
        "",
        "| | |",
        "|---|---|",
        "| works | as on any Docker |",
        "| works by | as on any Docker, by what berth does: the note says what, and the scenario looks whether it was that |",
        "| refused | it does not work, and berth says so, and why |",
        "| fails | it does not work; the note has the cause |",
        "| works mostly | it fails now and then; the note has the cause |",
        "| – | was not run; where the first line does not say that it works, since the sandbox could not be made |",
        "",
    ]
    for runsc in runscs:
        dockers = sorted({docker for one, docker, _ in results if one == runsc}, key=version_key)
        out += [f"## runsc {runsc}", ""]
        out += ["| | " + " | ".join(f"Docker {docker}" for docker in dockers) + " |", "|---" * (len(dockers) + 1) + "|"]
        theme = ""
        for one in scenarios:
            if not any((runsc, docker, one.name) in results for docker in dockers):
                continue
            if one.theme != theme:
                theme = one.theme
                out.append(f"| **{theme}** |" + " |" * len(dockers))
            out.append(f"| {one.title} | " + " | ".join(cell(one.name, runsc, docker) for docker in dockers) + " |")
        out.append("")
    out += ["## Notes", ""]
    out += [f"{number}. {text.replace('|', chr(92) + '|')}" for text, number in notes.items()]
    path.write_text("\n".join(out) + "\n")
