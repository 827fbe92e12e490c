"""Specs: nothing lost, all or nothing, errors that say where."""

from __future__ import annotations

import json
from pathlib import Path

import berth
import pytest
from berth import Spec

SPEC = (
    '{"ociVersion":"1.0.2","x-unknown":{"b":1,"a":2},"process":{"args":["sh"],"cwd":"/","user":{"uid":0,"gid":0}},'
    '"root":{"path":"rootfs"},"mounts":[],"linux":{"resources":{"memory":{"limit":9007199254740993}}},"big":1E+30}'
)


def test_nothing_is_lost() -> None:
    assert Spec(SPEC).to_json() == SPEC


def test_docker_comes_in_once() -> None:
    spec = Spec(SPEC)
    seen_to = spec.apply_docker()
    assert "added docker capabilities for sandbox container" in [e["message"] for e in seen_to["log"]]
    once = spec.to_json()
    spec.apply_docker()
    assert spec.to_json() == once
    made = json.loads(once)
    assert len(made["process"]["capabilities"]["bounding"]) == 17
    assert {"destination": "/sys/fs/cgroup", "type": "cgroup"}.items() <= made["mounts"][-1].items() or any(
        m["destination"] == "/sys/fs/cgroup" and m["type"] == "cgroup" for m in made["mounts"]
    )
    assert '"x-unknown":{"b":1,"a":2}' in once and "9007199254740993" in once and "1E+30" in once


def test_diff_and_merge() -> None:
    before = Spec(SPEC)
    after = before.copy()
    after.merge({"hostname": "h", "x-unknown": None})
    assert {(d["op"], d["path"]) for d in before.diff(after)} == {("add", "/hostname"), ("remove", "/x-unknown")}
    assert before.to_json() == SPEC


def test_files(tmp_path: Path) -> None:
    Spec(SPEC).save(tmp_path / "config.json")
    assert Spec.load(tmp_path / "config.json").to_json().strip() == SPEC
    (tmp_path / "link").symlink_to("config.json")
    with pytest.raises(berth.BerthError):
        Spec.load(tmp_path / "link")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{", "spec_syntax"),
        ('{"process":{},"process":{}}', "spec_duplicate_key"),
        ('{"process":{"Args":[]}}', "spec_key_case"),
        ("[" * 200 + "]" * 200, "spec_too_deep"),
    ],
)
def test_what_is_refused(text: str, name: str) -> None:
    with pytest.raises(berth.SpecError) as e:
        Spec(text).apply_docker()
    assert e.value.code_name == name and isinstance(e.value, ValueError)


def test_a_failed_change_changes_nothing() -> None:
    spec = Spec(SPEC)
    with pytest.raises(berth.BerthError):
        spec.apply_docker(cgroup="somewhere")
    assert spec.to_json() == SPEC
