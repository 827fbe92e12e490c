# SPDX-License-Identifier: Apache-2.0
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


def test_a_data_root_may_be_a_path(tmp_path: Path) -> None:
    spec, same = Spec(SPEC), Spec(SPEC)
    spec.apply_docker(data_root=tmp_path, data_root_path=Path("/var/lib/other"))
    same.apply_docker(data_root=str(tmp_path), data_root_path="/var/lib/other")
    assert spec.to_json() == same.to_json() and str(tmp_path) in spec.to_json()
    with pytest.raises(berth.InvalidError, match="/data_root"):
        spec.apply_docker(data_root=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [("{}", "/process"), ('{"process":null}', "/process"), ('{"process":{"args":[]}}', "/process/args")],
)
def test_a_spec_that_cannot_run_is_refused(text: str, pointer: str) -> None:
    spec = Spec(text)
    with pytest.raises(ValueError) as e:
        spec.apply_docker()
    assert isinstance(e.value, berth.BerthError) and e.value.path == pointer and e.value.hint
    assert spec.to_json() == text


def test_an_unknown_capability_is_kept_with_a_warning() -> None:
    spec = Spec({"process": {"args": ["sh"], "capabilities": {"bounding": ["CAP_FLY"]}}, "root": {"path": "r"}})
    seen_to = spec.apply_docker()
    assert json.loads(spec.to_json())["process"]["capabilities"]["bounding"][0] == "CAP_FLY"
    warned = [e for e in seen_to["log"] if e["level"] == "warn"]
    assert [e["fields"]["path"] for e in warned] == ["/process/capabilities/bounding/0"]


def test_raised_limits_and_the_guest_come_when_asked_for() -> None:
    spec = Spec(SPEC)
    spec.apply_docker(raise_limits=True, guest="/usr/libexec/berth/berth-init")
    made = json.loads(spec.to_json())
    assert "CAP_SYS_RESOURCE" in made["process"]["capabilities"]["effective"]
    assert [m["source"] for m in made["mounts"] if m["destination"] == "/.berth/init"] == [
        "/usr/libexec/berth/berth-init"
    ]


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
