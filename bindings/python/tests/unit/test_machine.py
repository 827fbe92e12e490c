# SPDX-License-Identifier: Apache-2.0
"""What check_machine() tells; which of it is there, differs from machine to machine."""

from __future__ import annotations

from pathlib import Path

import berth
import pytest


def test_what_is_missing_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_ROOT", str(tmp_path))
    monkeypatch.setenv("BERTH_RUNSC", "/nonexistent/runsc")
    machine = berth.check_machine(tmp_path / "none")
    seen = {one.name: one for one in machine.checks}
    assert not machine.ok
    assert {"root", "kernel", "capabilities", "ip", "nft", "berth-init", "state directory"} <= seen.keys()
    for name in ("runsc", "rootfs"):
        assert seen[name].state == "missing" and seen[name].needed and seen[name].remedy
    assert "/nonexistent/runsc" in seen["runsc"].found
    assert "rootfs" not in {one.name for one in berth.check_machine().checks}


def test_an_image_is_checked_as_its_root_file_system(tmp_path: Path) -> None:
    image = berth.Image.from_rootfs(tmp_path)
    told = berth.check_machine(image=image)
    assert told == berth.check_machine(tmp_path)
    assert not told.ok and "rootfs dockerd" in {one.name for one in told.checks if one.state == "missing"}
    with pytest.raises(berth.InvalidError, match="not both"):
        berth.check_machine(tmp_path, image=image)
