# SPDX-License-Identifier: Apache-2.0
"""Files of a sandbox, with names and contents that try to break out."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import berth
import pytest

LATIN = os.fsdecode(b"caf\xe9 \\ $x\n")
NAMES = [
    LATIN,
    os.fsdecode(b"-\xff\n"),
    "plain",
    "a b",
    "new\nline",
    "$(echo>pwned)",
    "'quote\"",
    "-rf",
    "é",
    "*",
    "\\back",
    ";",
    "tab\t",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_just_names(box: berth.Sandbox, name: str) -> None:
    path = f"/root/names/{name}"
    box.fs.write_bytes(path, os.fsencode(name))
    assert box.fs.read_bytes(path) == os.fsencode(name)
    assert name in [f.name for f in box.fs.list("/root/names")]
    assert box.fs.stat(path).size == len(os.fsencode(name))
    if os.fsencode(name).decode("utf-8", "replace") == name:  # as an argument it has to be text
        assert box.exec("cat", path).stdout.read() == name
    box.fs.remove(path)
    assert not box.fs.exists(path)
    assert not box.fs.exists("/pwned")


def test_names_that_are_not_utf8_there_and_back(box: berth.Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / LATIN).mkdir(parents=True)
    for name in (LATIN, "é"):
        (source / LATIN / name).write_text(name.encode("utf-8", "replace").decode())
    box.fs.upload(source, "/srv/latin")
    assert [f.name for f in box.fs.list("/srv/latin")] == [LATIN]
    assert [f.path for f in box.fs.list(f"/srv/latin/{LATIN}")] == [f"/srv/latin/{LATIN}/{n}" for n in (LATIN, "é")]
    for path, local in (("/srv/latin", "back"), (f"/srv/latin/{LATIN}", "back-below")):
        box.fs.download(path, tmp_path / local)
    assert (tmp_path / "back" / LATIN / "é").read_text() == "é"
    assert sorted(os.listdir(tmp_path / "back-below")) == [LATIN, "é"]
    box.fs.upload(source / LATIN / LATIN, f"/srv/latin/{LATIN}/one/")
    box.fs.download(f"/srv/latin/{LATIN}/one/{LATIN}", tmp_path / "single")
    assert (tmp_path / "single").read_bytes() == (source / LATIN / LATIN).read_bytes()
    assert box.fs.exists(f"/srv/latin/{LATIN}/one/{LATIN}")
    box.fs.mkdir(f"/srv/latin/{LATIN}/two")
    box.fs.remove(f"/srv/latin/{LATIN}", recursive=True)
    assert not box.fs.exists(f"/srv/latin/{LATIN}")
    with pytest.raises(FileNotFoundError) as e:
        box.fs.read_text(f"/srv/latin/{LATIN}")
    str(e.value).encode()
    # Among many.
    box.exec(
        "sh", "-c", "mkdir /tmp/some && cd /tmp/some && seq 1 600 | xargs touch && touch \"$(printf '\\351')\""
    ).wait()
    assert len(box.fs.list("/tmp/some")) == 601


def test_relative_names_that_look_like_options(box: berth.Sandbox) -> None:
    for name in ("-", "-x", "--help"):
        box.fs.write_text(name, "odd")
        assert box.fs.read_text(name) == "odd"
        assert box.fs.read_text("/" + name) == "odd"
        box.fs.remove(name)
    box.fs.mkdir("-d")
    box.fs.write_text("-d/f", "x")
    assert [f.name for f in box.fs.list("-d")] == ["f"]
    box.fs.remove("-d", recursive=True)


def test_paths_are_what_people_pass(box: berth.Sandbox, tmp_path: Path) -> None:
    path = PurePosixPath("/tmp/as a path/f")
    box.fs.write_text(path, "x")
    assert box.fs.read_text(path) == "x" and box.fs.exists(path) and box.fs.stat(path).path == str(path)
    assert [f.name for f in box.fs.list(path.parent)] == ["f"]
    box.fs.download(path, tmp_path / "f")
    box.fs.upload(tmp_path / "f", path.parent / "g")
    box.fs.mkdir(path.parent / "d")
    box.fs.remove(path.parent, recursive=True)
    assert not box.fs.exists(path.parent)
    with pytest.raises(TypeError, match="path is a string or a path, not 5"):
        box.fs.read_text(5)  # type: ignore[arg-type]


def test_writing_keeps_what_a_file_is(box: berth.Sandbox) -> None:
    box.exec(
        "sh", "-c",
        "mkdir -p /tmp/kept/else && cd /tmp/kept && echo old >f && chown 5:6 f && chmod 640 f && mkfifo p && "
        "ln -s else/led link && echo old >else/led && ln -s else/none dangling && ln -s loop loop",
    ).wait()  # fmt: skip
    box.fs.write_text("/tmp/kept/f", "new")
    seen = box.fs.stat("/tmp/kept/f")
    assert (seen.uid, seen.gid, seen.mode & 0o7777, seen.size) == (5, 6, 0o640, 3)
    for link, at in (("link", "else/led"), ("dangling", "else/none")):
        box.fs.write_text(f"/tmp/kept/{link}", "through")
        assert box.fs.stat(f"/tmp/kept/{link}").is_symlink and box.fs.read_text(f"/tmp/kept/{at}") == "through"
    reader = box.exec("cat", "/tmp/kept/p")
    box.fs.write_text("/tmp/kept/p", "into a pipe")
    assert reader.stdout.read() == "into a pipe"
    # Where nothing can be beside it.
    assert box.fs.read_text("/proc/sys/net/ipv4/ip_forward") in ("0\n", "1\n")
    box.fs.write_text("/proc/sys/net/ipv4/ip_forward", "1\n")
    assert box.fs.read_text("/proc/sys/net/ipv4/ip_forward") == "1\n"
    with pytest.raises(berth.BerthError) as e:
        box.fs.write_text("/tmp/kept/loop", "x")
    assert e.value.errno == errno.ELOOP
    with pytest.raises(berth.BerthError) as e:
        box.fs.write_text("/tmp/kept/else", "x")
    assert e.value.errno == errno.EISDIR
    assert sorted(os.path.basename(f.path) for f in box.fs.list("/tmp/kept")) == [
        "dangling", "else", "f", "link", "loop", "p",
    ]  # fmt: skip


def test_what_is_cancelled_leaves_nothing_half_written(box: berth.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "big").write_bytes(bytes(60_000_000))
    box.fs.write_text("/tmp/whole/kept", "old")
    before = [f.name for f in box.fs.list("/tmp/whole")]

    async def cut_short(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        # Under way: something is beside.
        while not task.done() and not [f for f in await box.aio.fs.list("/tmp/whole") if f.name.startswith(".berth-")]:
            pass
        assert not task.done(), "it was quicker than this test"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [f.name for f in await box.aio.fs.list("/tmp/whole")] == before
        assert await box.aio.fs.read_text("/tmp/whole/kept") == "old"

    async def main() -> None:
        fs = box.aio.fs
        await cut_short(fs.write_bytes("/tmp/whole/kept", bytes(60_000_000)))
        await cut_short(fs.upload(tmp_path / "tree" / "big", "/tmp/whole/new"))
        await cut_short(fs.upload(tmp_path / "tree", "/tmp/whole/tree"))

    asyncio.run(main())


@contextlib.contextmanager
def lying(box: berth.Sandbox, program: str, script: str) -> Iterator[None]:
    """The sandbox's program is replaced by one that says something else."""
    box.exec("mv", f"/usr/bin/{program}", f"/usr/bin/{program}.real").wait()
    try:
        made = box.exec("sh", "-c", f"cat >/usr/bin/{program} && chmod 755 /usr/bin/{program}",
                        stdin=f"#!/bin/sh\n{script}\n")  # fmt: skip
        assert made.wait() == 0, made.logs
        yield
    finally:
        box.exec("mv", f"/usr/bin/{program}.real", f"/usr/bin/{program}").wait()


def test_no_program_of_the_image_is_asked(box: berth.Sandbox, tmp_path: Path) -> None:
    with contextlib.ExitStack() as liars:
        for program in ("stat", "find", "tar", "mkdir"):
            liars.enter_context(lying(box, program, "echo /etc/passwd; exit 3"))
        box.fs.write_text("/tmp/truth/f", "truth")
        assert box.fs.stat("/tmp/truth/f").size == 5 and [f.name for f in box.fs.list("/tmp/truth")] == ["f"]
        box.fs.download("/tmp/truth", tmp_path / "out")
        assert (tmp_path / "out" / "f").read_text() == "truth"
        box.fs.rename("/tmp/truth/f", "/tmp/truth/g")
        assert box.fs.read_bytes("/tmp/truth/g", offset=1, length=3) == b"rut"
        box.fs.remove("/tmp/truth", recursive=True)


def test_files_need_the_guest_and_say_so(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs) as box:
        box.fs.write_text("/tmp/f", "x")
        (Path(box.status()["shared"]) / "guest.sock").unlink()
        # What was open before it is still served; another process has nothing yet.
        other = berth.Sandbox.connect(box.id)
        with pytest.raises(berth.BerthError, match="guest") as e:
            other.fs.read_text("/tmp/f")
        assert not isinstance(e.value, FileNotFoundError)


def test_a_listing_and_a_download_have_an_end(
    box: berth.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.exec("sh", "-c", "mkdir /tmp/hundred && cd /tmp/hundred && seq 1 100 | xargs touch").wait()
    monkeypatch.setattr(box.aio.fs, "entry_limit", 99)
    for call in (lambda: box.fs.list("/tmp/hundred"), lambda: box.fs.download("/tmp/hundred", tmp_path / "new")):
        with pytest.raises(berth.BerthError, match="more than 99 files"):
            call()
    assert os.listdir(tmp_path) == []
    monkeypatch.setattr(box.aio.fs, "entry_limit", 101)
    box.fs.download("/tmp/hundred", tmp_path / "new")
    assert len(os.listdir(tmp_path / "new")) == 100


def test_a_file_does_not_replace_a_directory_of_this_host(box: berth.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "f" / "mine").mkdir(parents=True)
    box.fs.write_text("/tmp/replaces/f", "x")
    for path in ("/tmp/replaces", "/tmp/replaces/f"):
        with pytest.raises(berth.BerthError, match="a file does not replace a directory"):
            box.fs.download(path, tmp_path)
    assert (tmp_path / "f" / "mine").is_dir() and os.listdir(tmp_path) == ["f"]


def test_bytes_as_they_are(box: berth.Sandbox) -> None:
    data = os.urandom(3_000_000)
    box.fs.write_bytes("/tmp/random", data)
    assert box.fs.read_bytes("/tmp/random") == data
    box.fs.write_bytes("/tmp/random", b"")
    assert box.fs.read_bytes("/tmp/random") == b""


def test_a_large_file_there_and_back(box: berth.Sandbox, tmp_path: Path) -> None:
    piece = os.urandom(1 << 20)
    with open(tmp_path / "large", "wb") as f:
        for _ in range(200):
            f.write(piece)
    box.fs.upload(tmp_path / "large", "/tmp/large")
    box.fs.download("/tmp/large", tmp_path / "back")
    box.fs.remove("/tmp/large")
    with open(tmp_path / "back", "rb") as f:
        assert all(f.read(1 << 20) == piece for _ in range(200)) and f.read() == b""


def test_stat_and_list(box: berth.Sandbox) -> None:
    box.exec(
        "sh", "-c", "mkdir -p /tmp/l/sub && cd /tmp/l && echo hi >f && ln -s f link && chmod 640 f && mkfifo p"
    ).wait()
    found = {f.name: f for f in box.fs.list("/tmp/l")}
    assert list(found) == ["f", "link", "p", "sub"]
    assert found["sub"].is_dir and found["f"].is_file and found["link"].is_symlink
    assert found["f"].mode & 0o777 == 0o640 and found["f"].size == 3
    assert box.fs.stat("/tmp/l/link").is_symlink
    assert box.fs.stat("/tmp/l/link", follow=True).is_file
    assert box.fs.list("/tmp/l/sub") == []


def test_upload_puts_a_file_where_a_user_means_it(box: berth.Sandbox, tmp_path: Path) -> None:
    local = tmp_path / "a name"
    local.write_text("content")
    local.chmod(0o750)
    box.fs.mkdir("/tmp/up/-there")
    for path, found in (
        ("/tmp/up/-there", "/tmp/up/-there/a name"),
        ("/tmp/up/made/", "/tmp/up/made/a name"),
        ("/tmp/up/made/as", "/tmp/up/made/as"),
        ("-relative", "/-relative"),
    ):
        box.fs.upload(local, path)
        assert box.fs.read_text(found) == "content" and box.fs.stat(found).mode & 0o7777 == 0o750
    wrong: Any = b"bytes"
    with pytest.raises(TypeError, match="write_bytes"):
        box.fs.write_text("/tmp/up/text", wrong)
    wrong = "text"
    with pytest.raises(TypeError, match="write_text"):
        box.fs.write_bytes("/tmp/up/bytes", wrong)


def test_many_files(box: berth.Sandbox) -> None:
    box.exec("sh", "-c", "mkdir /tmp/many && cd /tmp/many && seq 1 1200 | xargs touch").wait()
    assert len(box.fs.list("/tmp/many")) == 1200


def test_what_is_not_there(box: berth.Sandbox) -> None:
    for call in (
        lambda: box.fs.read_text("/none"),
        lambda: box.fs.stat("/none"),
        lambda: box.fs.list("/none"),
        lambda: box.fs.remove("/none"),
        lambda: box.fs.write_text("/none/x", "", parents=False),
    ):
        with pytest.raises(FileNotFoundError) as e:
            call()
        assert isinstance(e.value, berth.SandboxFileNotFound)
        assert isinstance(e.value, berth.BerthError)
    for wrong in ("", "a\0b"):
        with pytest.raises(ValueError):
            box.fs.read_text(wrong)
    with pytest.raises(berth.BerthError) as other:
        box.fs.read_text("/etc")
    assert other.value.errno == errno.EISDIR and not isinstance(other.value, OSError)
    for path in ("/etc/passwd/x", "/none/x", "/" + "x" * 300):
        assert not box.fs.exists(path)
    box.exec("ln", "-s", "/none", "/tmp/No such file").wait()
    assert box.fs.exists("/tmp/No such file") and not box.fs.exists("/tmp/No such file/x")


def test_directories_there_and_back(box: berth.Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "er" / "new\nline").write_bytes(b"\0\xff")
    (source / "run").write_text("#!/bin/sh\necho ran\n")
    (source / "run").chmod(0o755)
    (source / "link").symlink_to("deep")
    box.fs.upload(source, "/srv/up")
    assert box.exec("/srv/up/run").stdout.read() == "ran\n"
    box.fs.download("/srv/up", tmp_path / "back")
    assert (tmp_path / "back" / "deep" / "er" / "new\nline").read_bytes() == b"\0\xff"
    assert os.readlink(tmp_path / "back" / "link") == "deep"
    assert (tmp_path / "back" / "run").stat().st_mode & 0o7777 == 0o700


def test_files_there_and_back(box: berth.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho tool\n")
    (tmp_path / "tool").chmod(0o750)
    box.fs.upload(tmp_path / "tool", "/opt/new/tool")
    assert box.exec("/opt/new/tool").stdout.read() == "tool\n"
    box.fs.download("/opt/new/tool", tmp_path / "again")
    assert (tmp_path / "again").read_text() == "#!/bin/sh\necho tool\n"
    (tmp_path / "into").mkdir()
    box.fs.download("/opt/new/tool", tmp_path / "into")
    assert (tmp_path / "into" / "tool").exists()


def test_a_file_without_end_is_refused(box: berth.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box.aio.fs, "limit", 5_000_000)
    with pytest.raises(berth.BerthError, match="more than 5000000 bytes"):
        box.fs.read_bytes("/dev/zero")
    box.fs.write_bytes("/tmp/allowed", b"x" * 4_000_000)
    assert len(box.fs.read_bytes("/tmp/allowed")) == 4_000_000
