# SPDX-License-Identifier: Apache-2.0
"""What a sandbox leaves in files of this host: its changes, an image, what a detached command prints."""

from __future__ import annotations

import json
import time
from pathlib import Path

import berth
import pytest


def test_a_detached_command_goes_on_by_itself(box: berth.Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "own.log"
    pid = box.start_detached("sh", "-c", "echo $WORD in $PWD; exec sleep 4721", log=log, cwd="/usr", env={"WORD": "on"})
    assert pid > 1 and box.exec("kill", "-0", str(pid)).wait() == 0
    deadline = time.monotonic() + 30
    while not log.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert log.read_text() == "on in /usr\n" and log.stat().st_mode & 0o777 == 0o600
    with pytest.raises(berth.BerthError) as told:
        box.start_detached("/no/such/program", log=log)
    assert told.value.code_name == "process_exited" and "on in /usr" in told.value.detail
    assert box.exec("kill", str(pid)).wait() == 0


def test_commit_makes_an_image(box: berth.Sandbox, tmp_path: Path) -> None:
    assert box.exec("touch", "/made-for-an-image").wait() == 0
    layout = tmp_path / "images"
    with pytest.raises(berth.BerthError) as told:
        box.commit(layout, "v1", umoci="/no/such/umoci")
    assert told.value.code_name == "not_found" and "umoci" in str(told.value) and not layout.exists()
    with pytest.raises(berth.InvalidError):
        box.commit(layout, "not a tag")
    made = box.commit(layout, "v1", env={"A": "b=c"}, workdir="/usr", command=["sleep", "1"], message="why")
    index = json.loads((layout / "index.json").read_text())
    assert [one["digest"] for one in index["manifests"]] == [made.digest] and made.size > 1000
    manifest = json.loads((layout / "blobs" / made.digest.replace(":", "/")).read_text())
    config = json.loads((layout / "blobs" / manifest["config"]["digest"].replace(":", "/")).read_text())["config"]
    assert config["Cmd"] == ["sleep", "1"] and "A=b=c" in config["Env"] and config["WorkingDir"] == "/usr"


def test_export_writes_a_new_file(box: berth.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_PROGRAM", "/none")
    monkeypatch.chdir(tmp_path)
    assert box.exec("touch", "/made-for-export").wait() == 0
    box.export("changes.tar")
    tar = tmp_path / "changes.tar"
    assert b"made-for-export" in tar.read_bytes() and tar.stat().st_mode & 0o777 == 0o600
    with pytest.raises(berth.BerthError) as told:
        box.export(tar)
    assert told.value.code_name == "exists"
    for elsewhere in (lambda: box.export("/no/such/place/x.tar"), lambda: box.start_detached("true", log="/no/such/x")):
        with pytest.raises(berth.BerthError) as told:
            elsewhere()
        assert not isinstance(told.value, berth.SandboxNotFound) and "/no/such/" in str(told.value)
