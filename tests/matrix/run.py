#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios in a sandbox of each pair of runsc and Docker, and writes the page. scripts/matrix calls it."""

import argparse
import concurrent.futures
import fnmatch
import importlib.util
import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import page
from archive import Images
from box import Box, Failure, Refused, Scenario, Work, run, running, scenarios

HERE = Path(__file__).resolve().parent
THEMES = "start run lifecycle network compose build registry storage images limits security nested many daemon".split()


def load_scenarios() -> None:
    found = {path.stem for path in (HERE / "scenarios").glob("*.py")}
    if found != set(THEMES):
        sys.exit(f"tests/matrix/run.py does not name these themes, or they are not there: {found ^ set(THEMES)}")
    for theme in THEMES:
        spec = importlib.util.spec_from_file_location(f"scenarios.{theme}", HERE / f"scenarios/{theme}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)


stopping = threading.Event()


def stop(number: int, _: object) -> None:
    """Each pair ends the command that it is at, and takes its sandbox away."""
    stopping.set()
    for process in list(running):
        process.terminate()
    sys.exit(128 + number)


class Pair:
    """What runs of one runsc with one Docker."""

    def __init__(self, options: argparse.Namespace, work: Work, runsc: str, docker: str):
        self.runsc, self.docker, self.work = runsc, docker, work
        self.make = lambda: Box(options.berth, options.runsc[runsc], options.docker[docker], work, docker)
        self.directory = options.results / runsc / docker
        self.directory.mkdir(parents=True, exist_ok=True)
        self.box: Box | None = None
        self.theme = ""

    def record(self, one: Scenario, result: str, words: str, began: float, log: list[str]) -> None:
        if stopping.is_set():
            return
        seconds = round(time.monotonic() - began, 1)
        (self.directory / f"{one.name}.log").write_text("\n".join(log) + "\n")
        text = json.dumps({"result": result, "words": words, "seconds": seconds})
        (self.directory / f"{one.name}.json").write_text(text + "\n")
        shown = f"{self.runsc} {self.docker:5} {one.name:30} {result:9} {seconds:6.1f} s  {words if result == 'FAILS' else ''}"
        print(shown.rstrip()[:400], flush=True)

    def sandbox(self, one: Scenario) -> tuple[str, str]:
        """Makes one where there is none for this theme; what berth said otherwise, and whether it refused in words."""
        if self.box and (self.theme != one.theme or one.fresh):
            self.box.remove()
            self.box = None
        if self.box:
            return "", ""
        self.box, self.theme = self.make(), one.theme
        done = self.box.start()
        if done.code == 0:
            return "", ""
        lines = [line.removeprefix("berth: ") for line in done.err.splitlines() if line.startswith("berth: ")]
        said = " ".join(lines) or done.said[-500:]
        # What differs from machine to machine has no place on the page.
        said = re.sub(r" \((/\S*)\)|(?<=sandbox )[a-z0-9]{12}(?=:)|/proc/\d+/", "", said)
        return ("refused" if lines and "not ready" not in said else "FAILS"), said

    def run(self, wanted: list[Scenario]) -> None:
        stopped = ""
        for one in wanted:
            began = time.monotonic()
            if stopping.is_set():
                break
            if stopped:
                self.record(one, "not run", "", began, [stopped])
                continue
            try:
                result, words = self.sandbox(one)
                if result:
                    self.record(one, result, words, began, self.box.lines)
                    self.box = None
                    if one.name == "ready":
                        stopped = words
                    continue
                self.run_one(one)
            except Exception as error:
                lines = self.box.lines if self.box else []
                self.record(one, "FAILS", f"{type(error).__name__}: {error}", began, lines)
                self.drop()
        self.drop()

    def drop(self) -> None:
        if self.box:
            self.box.remove()
            self.box = None

    def run_one(self, one: Scenario) -> None:
        box, began = self.box, time.monotonic()
        box.remarks.clear()
        result, words = "works", ""
        try:
            box.load("busybox:latest")
            one.run(box)
            if box.remarks:
                result, words = "works by", "; ".join(box.remarks)
        except Refused as refused:
            result, words = "refused", str(refused)
        except (Failure, subprocess.SubprocessError, KeyError, ValueError) as failure:
            result, words = "FAILS", " ".join(str(failure).split())[:1500]
            box.log(f"FAILS: {failure}")
            for script in ("docker ps -a", "docker info", "ps -ef | head -n 60", "dmesg | tail -n 20"):
                box.try_inside(script, timeout=20)
            run([*box.berth, "status", box.id], box.log, timeout=20)
            run([*box.berth, "logs", box.id, "--daemon"], box.log, timeout=20)
        self.record(one, result, words, began, box.lines)
        if result == "FAILS" or one.fresh or not box.clean():
            self.drop()
        elif self.box:
            box.lines.clear()


def named(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    return name, path


def main() -> int:
    load_scenarios()
    if sys.argv[1:] == ["--list"]:
        for one in scenarios:
            print(f"{one.name:26} {'(CI) ' if one.cut else ''}{one.title}")
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--berth", required=True)
    parser.add_argument("--runsc", action="append", type=named, default=[], metavar="RELEASE=FILE")
    parser.add_argument("--docker", action="append", type=named, default=[], metavar="VERSION=DIRECTORY")
    parser.add_argument("--work", type=Path, help="for what is made on the way")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--busybox", type=Path, help="docker-load archive")
    parser.add_argument("--tools", type=Path, help="programs for the sandboxes")
    parser.add_argument("--limits", type=Path, default=HERE / "limits")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--only-page", action="store_true", help="from the results that are there")
    parser.add_argument("--jobs", type=int, default=1, help="so many pairs side by side")
    parser.add_argument("--cut", action="store_true", help="only the scenarios that CI runs")
    parser.add_argument("names", nargs="*", help="scenarios; * stands for anything")
    options = parser.parse_args()
    options.runsc, options.docker = dict(options.runsc), dict(options.docker)
    wanted = [
        one
        for one in scenarios
        if (one.cut or not options.cut)
        and (not options.names or any(fnmatch.fnmatch(one.name, name) for name in options.names))
    ]
    if not wanted:
        sys.exit(f"no scenario is called so: {' '.join(options.names)}")
    limits = page.Limits(options.limits)
    unknown = limits.names() - {one.name for one in scenarios}
    if unknown:
        sys.exit(f"{options.limits}: no scenario is called so: {' '.join(sorted(unknown))}")

    if options.only_page:
        page.write(options.page, page.read_results(options.results), limits, options.berth)
        return 0

    options.work.mkdir(parents=True, exist_ok=True)
    work = Work(options.work, Images(options.work, options.busybox, options.tools / "peer"), options.tools)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for name in ("busybox:latest", "peer:1", "tree:1"):
        work.archive(name)
    pairs = [Pair(options, work, runsc, docker) for runsc in options.runsc for docker in options.docker]
    try:
        work.open()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for _ in pool.map(lambda pair: pair.run(wanted), pairs):
                pass
    finally:
        work.close()
        for pair in pairs:
            pair.drop()

    results = page.read_results(options.results)
    if options.page:
        page.write(options.page, results, limits, options.berth)
    different = []
    for pair in pairs:
        for one in wanted:
            got = results[pair.runsc, pair.docker, one.name]
            want = limits.expected(one.name, pair.runsc, pair.docker)
            if got["result"] == "not run":
                continue
            if not want.holds(got["result"]):
                different.append(
                    f"{pair.runsc} {pair.docker} {one.name}: {got['result']}, not {want.result}: {got['words']}"
                )
    print(f"\n{len(pairs)} pairs, {len(wanted)} scenarios; logs are in {options.results}")
    for line in different:
        print("different: " + line[:600])
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
