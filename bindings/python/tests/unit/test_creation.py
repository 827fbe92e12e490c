# SPDX-License-Identifier: Apache-2.0
"""What a sandbox is to be, as the library is told it."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import berth
import pytest
from berth.creation import Wanted, checked_volumes, lacks_workdir, sandbox_options
from berth.rootfs import Built


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(30, 30_000), (30 * 86400, 2_592_000_000), (1234567.8, 1_234_567_800), (1e-9, 1)],
)
def test_a_timeout_is_said_in_milliseconds(seconds: float, milliseconds: int) -> None:
    wanted = Wanted(rootfs="/", timeout=seconds)
    assert sandbox_options(wanted, Built("", "/"), "id", "mark")["lifetime_ms"] == milliseconds


def test_it_hibernates_where_it_falls_asleep() -> None:
    own = sandbox_options(Wanted(rootfs="/", idle_timeout=60, hibernate=True), Built("", "/"), "id", "mark")
    assert own["hibernate"] is True
    assert "hibernate" not in sandbox_options(Wanted(rootfs="/", idle_timeout=60), Built("", "/"), "id", "mark")
    with pytest.raises(ValueError, match="takes an idle_timeout"):
        berth.Sandbox(rootfs="/", hibernate=True)
    with pytest.raises(TypeError, match="hibernate is True or False"):
        berth.Sandbox(rootfs="/", idle_timeout=60, hibernate=1)  # type: ignore[arg-type]


def test_an_idle_timeout_is_said_in_milliseconds_and_has_a_least() -> None:
    own = sandbox_options(Wanted(rootfs="/", idle_timeout=1.5), Built("", "/"), "id", "mark")
    assert own["idle_timeout_ms"] == 1500
    assert "idle_timeout_ms" not in sandbox_options(Wanted(rootfs="/"), Built("", "/"), "id", "mark")
    restored = sandbox_options(Wanted(snapshot="warm", idle_timeout=60), Built("", "/"), "id", "mark")
    assert restored["idle_timeout_ms"] == 60_000
    berth.Sandbox(snapshot="warm", idle_timeout=datetime.timedelta(minutes=10))
    with pytest.raises(ValueError, match="idle_timeout .* 1 at the least"):
        berth.Sandbox(rootfs="/", idle_timeout=0.5)


def test_a_limit_of_connections_is_passed_on_where_there_is_one() -> None:
    limited = sandbox_options(Wanted(rootfs="/", max_connections=0), Built("", "/"), "id", "mark")
    assert limited["max_connections"] == 0
    assert "max_connections" not in sandbox_options(Wanted(rootfs="/"), Built("", "/"), "id", "mark")
    with pytest.raises(TypeError, match="max_connections"):
        berth.Sandbox(rootfs="/", max_connections="many")  # type: ignore[arg-type]


def test_a_snapshot_brings_the_rest_along() -> None:
    options = sandbox_options(Wanted(snapshot="warm", timeout=3), Built("", "/r", workdir="/w"), "id", "mark")
    assert options == {
        "id": "id",
        "annotations": {"org.pyberth.mark": "mark", "org.pyberth.workdir": "/w"},
        "ends_with_creator": True,
        "snapshot": "warm",
        "lifetime_ms": 3000,
    }
    for given in (
        {"memory": "1Gi"},
        {"rootfs": "/r"},
        {"docker_enabled": True},
        {"env": {"A": "b"}},
        {"network": "none"},
    ):
        with pytest.raises(berth.InvalidError, match=next(iter(given))):
            berth.Sandbox(snapshot="warm", **given)
    with pytest.raises(TypeError, match="snapshot"):
        berth.Sandbox(snapshot="")


def test_egress_rules_are_passed_on_one_by_one() -> None:
    box = berth.Sandbox(rootfs="/", egress=["10.0.0.0/8", "dns"])
    assert box.aio._wanted is not None
    assert sandbox_options(box.aio._wanted, Built("", "/"), "id", "mark")["egress"] == ["10.0.0.0/8", "dns"]
    one = berth.Sandbox(rootfs="/", egress="none").aio._wanted
    assert one is not None and one.egress == ("none",)
    assert "egress" not in sandbox_options(Wanted(rootfs="/"), Built("", "/"), "id", "mark")
    with pytest.raises(berth.InvalidError, match="no rule"):
        berth.Sandbox(rootfs="/", egress=[])
    with pytest.raises(TypeError, match="egress"):
        berth.Sandbox(rootfs="/", egress=443)  # type: ignore[arg-type]


def test_no_time_at_all_is_no_timeout() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        berth.Sandbox(rootfs="/", timeout=0)


def test_whether_the_workdir_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "root/there/below").mkdir(parents=True)
    (tmp_path / "root/file").touch()
    (tmp_path / "root/link").symlink_to("/usr")
    (tmp_path / "other").symlink_to("root")
    for root in (tmp_path / "root", tmp_path / "other"):
        for path, missing in {
            "/": False, "/there": False, "/there//below/": False, "/there/not": True, "/file": True, "/link": True,
            "/link/bin": True, "/there/../there": True,
        }.items():  # fmt: skip
            assert lacks_workdir(Wanted(), Built("", str(root), workdir=path)) == missing, path
    # What is mounted may hide it.
    built = Built("", str(tmp_path / "root"), workdir="/there/below")
    assert lacks_workdir(Wanted(volumes=("/srv:/there",)), built)


def test_volumes_as_people_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    docker_py: Any = {
        "/a": {"bind": "/b", "mode": "ro"},
        Path("/c"): {"bind": "/d"},
        "./e": {"bind": "/e", "mode": "rw"},
    }
    assert checked_volumes(docker_py) == ("/a:/b:ro", "/c:/d", "./e:/e")
    assert checked_volumes(["/a:/b:ro"]) == ("/a:/b:ro",)
    # A path alone is the same inside.
    assert checked_volumes(["/srv/a", Path("/srv/b")]) == ("/srv/a:/srv/a", "/srv/b:/srv/b")
    assert checked_volumes(["here"]) == (f"{tmp_path}/here:{tmp_path}/here",)


def test_a_lifetime_may_be_a_length_of_time() -> None:
    box = berth.Sandbox(rootfs=Path("/"), timeout=datetime.timedelta(minutes=1))
    wanted = box.aio._wanted
    assert wanted is not None and wanted.timeout == 60 and wanted.rootfs == "/"


def test_a_volume_elsewhere_leaves_the_workdir_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "app/src").mkdir(parents=True)
    built = Built("", str(tmp_path), workdir="/app/src")
    assert not lacks_workdir(Wanted(volumes=("/data:/data:ro", "/x:/app/src/deeper")), built)
    for above in ("/x:/app", "/x:/app/src", "/x:/"):
        assert lacks_workdir(Wanted(volumes=(above,)), built)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("tmpfs:2Gi", "tmpfs:2Gi"),
        ("/srv/images:20Gi", "/srv/images:20Gi"),
        ("/srv/images", "/srv/images/"),  # a slash: nothing at its end is a size
        ("/srv/a:2Gi/", "/srv/a:2Gi/"),
        ("images:1g", f"{os.getcwd()}/images:1g"),
    ],
)
def test_a_data_root_may_have_a_size(given: str, told: str) -> None:
    wanted = Wanted(rootfs="/", docker_enabled=True, data_root=given)
    assert sandbox_options(wanted, Built("", "/"), "id", "mark")["docker"]["data_root"] == told
