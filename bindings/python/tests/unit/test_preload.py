# SPDX-License-Identifier: Apache-2.0
"""The name of a snapshot with preloaded images: the same for what is the same."""

from __future__ import annotations

from pathlib import Path

from berth.creation import LABEL
from berth.preload import name_of
from berth.rootfs import Built
from berth._copies import labels_of, own_options


def test_the_name_depends_on_what_is_in_it(tmp_path: Path) -> None:
    built = Built("key", "/rootfs", {"A": "b"}, "/srv")
    first = name_of(built, ("nginx:latest", "redis:7"), ("ab",), 2, "1Gi", None)
    assert first == name_of(built, ("redis:7", "nginx:latest", "nginx:latest"), ("ab",), 2, "1Gi", None)
    assert first.startswith("preload-") and len(first) <= 63
    others = {
        name_of(built, ("nginx:latest",), ("ab",), 2, "1Gi", None),
        name_of(built, ("nginx:latest", "redis:7"), ("cd",), 2, "1Gi", None),
        name_of(built, ("nginx:latest", "redis:7"), ("ab",), 1, "1Gi", None),
        name_of(built, ("nginx:latest", "redis:7"), ("ab",), 2, None, None),
        name_of(built, ("nginx:latest", "redis:7"), ("ab",), 2, "1Gi", "mirror:5000"),
        name_of(Built("other", "/rootfs", {"A": "b"}, "/srv"), ("nginx:latest", "redis:7"), ("ab",), 2, "1Gi", None),
    }
    assert len(others) == 6 and first not in others

    # Of a directory without a key: which it is, and whether packages came since.
    directory = Built("", str(tmp_path))
    (tmp_path / "etc").mkdir()
    before = name_of(directory, ("a",), (), None, None, None)
    assert before == name_of(directory, ("a",), (), None, None, None)
    (tmp_path / "etc" / "new").touch()
    assert before != name_of(directory, ("a",), (), None, None, None)


def test_what_a_copy_says_of_itself() -> None:
    own = {LABEL + "workdir": "/srv", LABEL + "ports": "80", LABEL + "mark": "x", "job": "7"}
    assert labels_of(own, True) == {LABEL + "workdir": "/srv", LABEL + "ports": "80", LABEL + "docker": "1"}
    assert labels_of({}, False) == {}
    assert own_options({}, None, None, False, None, False) == {
        "annotations": {},
        "ends_with_creator": False,
        "hibernate": False,
    }
    assert own_options({}, 0.0001, ("none",), True, 1.5, True) == {
        "annotations": {},
        "ends_with_creator": True,
        "hibernate": True,
        "lifetime_ms": 1,
        "idle_timeout_ms": 1500,
        "egress": ["none"],
    }
