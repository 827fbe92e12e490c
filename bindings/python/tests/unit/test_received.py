# SPDX-License-Identifier: Apache-2.0
"""What a sandbox answers and sends is somebody else's claim, and comes onto the host whole or not at all."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import berth
import pytest
from berth._received import put_file, put_tree


def tar(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, kind, fields in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            data = fields.pop("data", b"")
            member.size = len(data)
            for field, value in fields.items():
                setattr(member, field, value)
            out.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def file(name: str, data: bytes = b"x", **fields: Any) -> tuple[str, bytes, dict[str, Any]]:
    return name, tarfile.REGTYPE, {"data": data, **fields}


def directory(name: str, **fields: Any) -> tuple[str, bytes, dict[str, Any]]:
    return name, tarfile.DIRTYPE, fields


def put(data: bytes, target: Path, limit: int = 1 << 20, entries: int = 1000) -> None:
    put_tree(io.BytesIO(data), "/in/the/sandbox", target, limit, entries)


def headers(**fields: int) -> bytes:
    """An archive of one header whose numbers are as given, however odd."""
    member = tarfile.TarInfo("f")
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if "size" in fields:
        block[124:136] = tarfile.itn(fields["size"], 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block) + bytes(1024)


HOSTILE = {
    "no tar at all": b"words" * 1000,
    "nothing": b"",
    "cut short": tar(file("f", b"x" * 3000))[:2000],
    "times beyond all": tar(file("f", pax_headers={"mtime": "1e300"})),
    "a time that is none": tar(file("f", pax_headers={"mtime": "nan"})),
    "a negative size": tar(file("f", pax_headers={"size": "-1024"})),
    "a negative size in the header": headers(size=-1024),
    "a link to nothing": tar(("h", tarfile.LNKTYPE, {"linkname": ""})),
    "a link to what is not there": tar(("h", tarfile.LNKTYPE, {"linkname": "none"})),
    "a name too long": tar(file("n" * 300)),
    "a zero byte in a name": tar(file("f", pax_headers={"path": "a\0b"})),
    "without its directory": tar(file("none/f")),
    "a link without a target": tar(("l", tarfile.SYMTYPE, {"linkname": ""})),
    "too deep": tar(*(directory("/".join("d" * n)) for n in range(1, 250))),
    "up": tar(file("../f")),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("there", [False, True])
def test_a_hostile_archive_is_a_berth_error_and_leaves_nothing(tmp_path: Path, what: str, there: bool) -> None:
    target = tmp_path / "above" / "target"
    if there:
        target.mkdir(parents=True)
        (target / "mine").write_text("mine")
    with pytest.raises(berth.BerthError):
        put(HOSTILE[what], target)
    assert os.listdir(tmp_path) == (["above"] if there else [])
    if there:
        assert os.listdir(tmp_path / "above") == ["target"] and os.listdir(target) == ["mine"]


def test_nothing_is_left_of_what_was_good_before_the_end(tmp_path: Path) -> None:
    data = tar(file("one"), directory("d"), file("d/two"), file("../three"))
    for target in (tmp_path / "new", tmp_path):
        with pytest.raises(berth.BerthError, match="outside of itself"):
            put(data, target)
        assert os.listdir(tmp_path) == []


SPARSE = [
    {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f", "GNU.sparse.realsize": str(10 << 40)},
    {"GNU.sparse.map": f"0,1,{10 << 40},0", "GNU.sparse.size": str(10 << 40)},
    {"GNU.sparse.realsize": str(10 << 40)},
]


@pytest.mark.parametrize("holes", SPARSE)
def test_a_small_archive_cannot_fill_the_disk(tmp_path: Path, holes: dict[str, str]) -> None:
    with pytest.raises(berth.BerthError, match="the archive holds"):
        put(tar(file("f", b"1\n0\n1\n" * 200, pax_headers=holes)), tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_archive_is_taken_up_to_its_limits(tmp_path: Path) -> None:
    data = tar(file("a", b"x" * 500), file("b", b"y" * 500), directory("c"))
    with pytest.raises(berth.BerthError, match="more than 999 bytes"):
        put(data, tmp_path, 999)
    with pytest.raises(berth.BerthError, match="more than 2 files") as e:
        put(data, tmp_path, 1000, 2)
    assert "entry_limit" in e.value.hint
    # What stays out takes a place, too.
    with pytest.raises(berth.BerthError, match="more than 2 files"):
        put(tar(*((f"p{i}", tarfile.FIFOTYPE, {}) for i in range(3))), tmp_path, 1000, 2)
    assert os.listdir(tmp_path) == []
    put(data, tmp_path, 1000, 3)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


def test_a_tree_goes_into_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "d/deep").mkdir(parents=True)
    (tmp_path / "d").chmod(0o755)
    for mine in ("d/mine", "d/deep/mine", "d/old"):
        (tmp_path / mine).write_text("mine")
    os.symlink("/etc", tmp_path / "led")
    (tmp_path / "was-file").write_text("mine")
    put(
        tar(
            directory("d", mode=0o2777), directory("d/deep"), file("d/deep/new"), file("d/old", b"new"),
            directory("led"), file("led/f"), directory("was-file"), ("l", tarfile.SYMTYPE, {"linkname": "/none"}),
        ),
        tmp_path,
    )  # fmt: skip
    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert found == ["d", "d/deep", "d/deep/mine", "d/deep/new", "d/mine", "d/old", "l", "led", "led/f", "was-file"]
    assert (tmp_path / "d/old").read_text() == "new" and (tmp_path / "d").stat().st_mode & 0o7777 == 0o755
    assert not (tmp_path / "led").is_symlink() and os.readlink(tmp_path / "l") == "/none"


def test_a_file_does_not_replace_a_directory(tmp_path: Path) -> None:
    (tmp_path / "d/below").mkdir(parents=True)
    (tmp_path / "d/below/mine").write_text("mine")
    for data in (tar(file("a"), file("d")), tar(file("a"), directory("d"), file("d/below")),
                 tar(file("a"), ("d", tarfile.SYMTYPE, {"linkname": "/etc"}))):  # fmt: skip
        with pytest.raises(berth.BerthError, match="a file does not replace a directory") as e:
            put(data, tmp_path)
        assert e.value.errno == 21
    with pytest.raises(berth.BerthError, match="a file does not replace a directory"):
        put_file(io.BytesIO(b"x"), "d", tmp_path)
    assert (tmp_path / "d/below/mine").read_text() == "mine" and os.listdir(tmp_path) == ["d"]


@pytest.mark.parametrize("name", ["", "..", "."])
def test_a_file_of_no_name_goes_into_no_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(berth.BerthError, match="no file's name"):
        put_file(io.BytesIO(b"x"), name, tmp_path / "target")
    assert os.listdir(tmp_path) == ["target"]


def test_the_users_own_mistakes_are_the_hosts_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(NotADirectoryError):
            put(tar(file("f")), target)
    with pytest.raises(FileNotFoundError):
        put_file(io.BytesIO(b"x"), "f", tmp_path / "none" / "f")
