# SPDX-License-Identifier: Apache-2.0
"""The parts of images that need no machine: names, the cache, layers."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import berth
import pytest
from berth import Image
from berth._cancel import in_thread
from berth._received import put_tree
from berth.image import tree
from berth.image.docker_packages import install_script, os_release
from berth.image.layer import apply_changes
from berth.image.reference import Reference
from berth.image.registry import RegistryOptions, _explain, _source
from berth.image.store import Store, content_key
from berth.image.tools import run_tool
from berth.image.tree import tree_key
from berth.rootfs import Built


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ubuntu", "docker.io/library/ubuntu:latest"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
        ("me/app", "docker.io/me/app:latest"),
        ("docker.io/library/nginx:1", "docker.io/library/nginx:1"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("localhost/app:1", "localhost/app:1"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("gcr.io/a/b/c:v1.2_3-x", "gcr.io/a/b/c:v1.2_3-x"),
        ("host:5000/a", "host:5000/a:latest"),
        ("a@sha256:" + "0" * 64, "docker.io/library/a@sha256:" + "0" * 64),
        ("a:1@sha256:" + "f" * 64, "docker.io/library/a@sha256:" + "f" * 64),
    ],
)
def test_references(text: str, whole: str) -> None:
    assert str(Reference.parse(text)) == whole


@pytest.mark.parametrize(
    "text",
    ["", "UPPER", "a b", "-a", "a/", "/a", "a::b", "a:", "a@sha256:12", "a..b", "../a", "a\n", "a:b:c", "docker://a"],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(berth.ImageError):
        Reference.parse(text)


def test_mirrors_stand_for_docker_io_only() -> None:
    options = RegistryOptions("http://10.0.0.1:5000", "/auth.json")
    assert _source(Reference.parse("ubuntu:1"), options) == (
        "docker://10.0.0.1:5000/library/ubuntu:1",
        ["--tls-verify=false", "--authfile=/auth.json"],
    )
    assert _source(Reference.parse("gcr.io/a/b"), options) == ("docker://gcr.io/a/b:latest", ["--authfile=/auth.json"])
    assert _source(Reference.parse("a"), RegistryOptions("mirror.example")) == (
        "docker://mirror.example/library/a:latest",
        [],
    )


def test_credentials_stand_in_no_name() -> None:
    # It would be an argument of skopeo's, and so in the list of processes.
    with pytest.raises(berth.ImageError, match="list of processes") as caught:
        _source(Reference.parse("ubuntu"), RegistryOptions(mirror="https://me:secret@host:5000"))
    assert "secret" not in str(caught.value) and "auth_file=" in caught.value.hint


def test_images_do_not_change() -> None:
    base = Image.from_registry("ubuntu:22.04")
    changed = base.env(A="1").env({"B": "2"}).workdir("/w").run_commands("true").with_docker()
    assert base.variables == () and base.steps == ()
    assert (
        changed.variables == (("A", "1"), ("B", "2")) and changed.directory_inside == "/w" and len(changed.steps) == 2
    )
    calls: list[Callable[[], object]] = [
        lambda: base.env({"A=B": "1"}),
        lambda: base.env({"": "1"}),
        lambda: base.workdir("w"),
    ]
    for wrong in calls:
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        base.run_commands()


def test_keys_tell_parts_apart() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key("a") == content_key("a")


def test_the_store_publishes_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.lock("k"), store.building("k") as made:
        (made / "rootfs").mkdir()
        raise RuntimeError
    assert store.find("k") is None and list((tmp_path / "rootfs").iterdir()) == []
    with store.lock("k"), store.building("k") as made:
        (made / "rootfs").mkdir()
        assert store.find("k") is None
        store.publish(made, Built("k", "", {"A": "1"}, "/w"))
    found = store.find("k")
    assert found and found.env == {"A": "1"} and found.workdir == "/w" and os.path.isdir(found.rootfs)
    # What a killed builder left goes with the next.
    (tmp_path / "rootfs" / "j.building.old").mkdir()
    with store.lock("j"), store.building("j"):
        assert [p.name for p in (tmp_path / "rootfs").glob("j.building.old")] == []


def a_tree(root: Path) -> Path:
    (root / "sub/deeper").mkdir(parents=True)
    (root / "sub/file").write_text("content")
    (root / "sub/link").symlink_to("file")
    os.mkfifo(root / "fifo")
    for path in (root, *root.rglob("*")):
        os.utime(path, (1, 1), follow_symlinks=False)
    return root


def test_a_directory_is_known_by_its_content(tmp_path: Path) -> None:
    store, root = Store(tmp_path / "cache"), a_tree(tmp_path / "root")
    key = tree_key(str(root), store)
    assert tree_key(str(a_tree(tmp_path / "other")), store) == key

    def point_elsewhere() -> None:
        (root / "sub/link").unlink()
        (root / "sub/link").symlink_to("elsewhere")

    changes: list[Callable[[], object]] = [
        lambda: (root / "sub/deeper/new").touch(),
        lambda: (root / "sub/file").write_text("CONTENT"),
        lambda: (root / "sub/file").chmod(0o600),
        point_elsewhere,
        lambda: (root / "sub/deeper/new").rename(root / "sub/deeper/renamed"),
        lambda: (root / "fifo").unlink(),
        lambda: os.setxattr(root / "sub/file", "user.some", b"value"),
        lambda: os.mknod(root / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3)),
    ]
    seen = {key}
    for change in changes:
        change()
        # Back to the same time and size: what stands for the content must not be those alone.
        os.utime(root / "sub/file", (1, 1))
        seen.add(tree_key(str(root), store))
    assert len(seen) == len(changes) + 1
    (root / "sub/file").touch()
    (root / ".gvisor.filestore.some").write_text("of a runsc that runs on it")
    assert tree_key(str(root), store) in seen


def test_a_directory_that_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, root = Store(tmp_path / "cache"), a_tree(tmp_path / "root")
    reads = 0

    def counted(directory: bytes) -> str:
        nonlocal reads
        reads += 1
        return content(directory)

    content = tree._content
    monkeypatch.setattr(tree, "_content", counted)
    key = tree_key(str(root), store)
    assert tree_key(str(root), store) == key and reads == 2  # too young to be relied on
    monkeypatch.setattr(tree, "_SETTLED_NS", -1_000_000_000)
    assert [tree_key(str(root), store) for _ in range(3)] == [key] * 3 and reads == 3
    (root / "sub/file").write_text("another")
    assert tree_key(str(root), store) != key and reads == 4

    def changing(directory: bytes) -> str:
        (root / "sub/file").write_text(f"{time.monotonic_ns()}")
        return content(directory)

    def vanishing(directory: bytes) -> str:
        os.lstat(os.path.join(directory, b"gone"))
        return content(directory)

    monkeypatch.setattr(tree, "_content", vanishing)
    (root / "sub/file").write_text("once more")
    with pytest.raises(berth.ImageError, match="changed while it was read"):
        tree_key(str(root), store)
    monkeypatch.setattr(tree, "_content", changing)
    (root / "sub/file").write_text("again")
    with pytest.raises(berth.ImageError, match="changed while it was read"):
        tree_key(str(root), store)


@pytest.mark.parametrize(
    ("words", "cause", "hint"),
    [
        (
            'pinging registry h: Get "https://h/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
            "the registry cannot be reached from here (dial tcp 10.0.0.1:443: connect: connection refused)",
            "mirror=",
        ),
        (
            "pinging container registry h: http: server gave HTTP response to HTTPS client",
            "the registry speaks no TLS (HTTP response to HTTPS client)",
            "http://host:port",
        ),
        (
            "Get: tls: x509: certificate signed by unknown authority",
            "the registry's certificate is not trusted on this machine (x509: certificate signed by unknown authority)",
            "update-ca-certificates",
        ),
        (
            "reading manifest: unauthorized: authentication required",
            "the registry wants credentials (unauthorized: authentication required)",
            "auth_file=",
        ),
        (
            "reading manifest 9 in h/a: manifest unknown",
            "the registry has no such image (manifest unknown)",
            "list-tags",
        ),
        ("something else", "", ""),
    ],
)
def test_what_a_registry_that_fails_means(words: str, cause: str, hint: str) -> None:
    found = _explain(words)
    assert found[0] == cause and hint in found[1] and bool(hint) == bool(found[1])


def test_a_tool_that_fails_is_told_by_its_cause() -> None:
    def fails(words: str, *given: Any) -> berth.ImageError:
        with pytest.raises(berth.ImageError) as e:
            run_tool(["sh", "-c", f"printf '%s' '{words}' >&2; exit 1"], "cannot find a", *given)
        return e.value

    logged = 'time="2026-01-01T00:00:00Z" level=fatal msg="reading \\"a\\": dial tcp: no route"'
    said = fails(logged, _explain)
    assert str(said) == (
        "the registry cannot be reached from here (dial tcp: no route): cannot find a; check the name and this "
        "machine's network; a mirror of docker.io is named by mirror= or $BERTH_REGISTRY_MIRROR\n"
        'sh exited with 1: reading "a": dial tcp: no route'
    )
    assert str(fails("words")) == "cannot find a: sh exited with 1: words"
    assert isinstance(fails("manifest unknown", _explain), berth.ImageNotFound)
    lines: list[str] = []
    run_tool(["sh", "-c", "echo one; echo two >&2"], "", _explain, lines.append)
    assert lines == ["one\n", "two\n"]
    assert "words" in str(fails("words", _explain, lines.append)) and lines[-1] == "words"


def test_one_builder_at_a_time(tmp_path: Path) -> None:
    store, inside, most = Store(tmp_path), 0, 0

    def build() -> None:
        nonlocal inside, most
        with store.lock("k"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=build) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert most == 1


def test_waiting_for_another_builder_is_cancelled(tmp_path: Path) -> None:
    store, built = Store(tmp_path), threading.Event()

    def build() -> None:
        with store.lock("k"):
            built.set()

    async def main() -> None:
        with store.lock("k"):
            task = asyncio.ensure_future(in_thread(build))
            await asyncio.sleep(0.2)
            task.cancel()
            _, waiting = await asyncio.wait({task}, timeout=30)
        assert not waiting and task.cancelled()

    asyncio.run(main())
    assert not built.is_set()
    build()


def tar_of(path: Path, *members: tuple[str, bytes, dict[str, object]]) -> str:
    """(name, type, fields and "data" and "pax")."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, fields in members:
            m = tarfile.TarInfo(name)
            m.type = kind
            data = fields.pop("data", b"")
            assert isinstance(data, bytes)
            m.size = len(data)
            m.mode = 0o755
            for key, value in fields.items():
                setattr(m, key, value)
            tar.addfile(m, io.BytesIO(data))
    return str(path)


OPAQUE = {"SCHILY.xattr.trusted.overlay.opaque": "y"}


def test_layers_add_replace_and_remove(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for directory in ("kept", "gone", "opaque", "was-directory"):
        (root / directory).mkdir(parents=True)
        (root / directory / "old").write_text("old")
    (root / "was-file").write_text("old")
    (root / "file").write_text("old")
    changes = tar_of(
        tmp_path / "changes.tar",
        (".", tarfile.DIRTYPE, {}),
        ("kept", tarfile.DIRTYPE, {"mtime": 1000}),
        ("kept/new", tarfile.REGTYPE, {"data": b"new", "uid": 5, "gid": 6, "mode": 0o4755}),
        ("file", tarfile.CHRTYPE, {"devmajor": 0, "devminor": 0}),
        ("gone", tarfile.LNKTYPE, {"linkname": "file"}),
        ("opaque", tarfile.DIRTYPE, {"pax_headers": OPAQUE}),
        ("opaque/only", tarfile.REGTYPE, {"data": b"only"}),
        ("was-directory", tarfile.REGTYPE, {"data": b"now a file"}),
        ("was-file", tarfile.DIRTYPE, {}),
        ("link", tarfile.SYMTYPE, {"linkname": "/etc/passwd"}),
        ("hard", tarfile.LNKTYPE, {"linkname": "kept/new"}),
        ("dev/null", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3}),
        ("proc/x", tarfile.REGTYPE, {}),
    )
    apply_changes(str(root), changes)
    assert sorted(os.listdir(root)) == ["hard", "kept", "link", "opaque", "was-directory", "was-file"]
    assert (root / "kept/old").read_text() == "old" and (root / "kept/new").read_text() == "new"
    seen = (root / "hard").stat()
    assert (seen.st_uid, seen.st_gid, seen.st_mode & 0o7777, seen.st_nlink) == (5, 6, 0o4755, 2)
    assert os.listdir(root / "opaque") == ["only"]
    assert (root / "was-directory").read_text() == "now a file" and (root / "was-file").is_dir()
    assert os.readlink(root / "link") == "/etc/passwd"
    assert (root / "kept").stat().st_mtime == 1000


@pytest.mark.parametrize(
    "members",
    [
        [("out", tarfile.SYMTYPE, {"linkname": "VICTIM"}), ("out/f", tarfile.REGTYPE, {"data": b"x"})],
        [("../f", tarfile.REGTYPE, {"data": b"x"})],
        [("a/../../f", tarfile.REGTYPE, {"data": b"x"})],
        [("out", tarfile.SYMTYPE, {"linkname": "VICTIM"}), ("h", tarfile.LNKTYPE, {"linkname": "out/secret"})],
        [("h", tarfile.LNKTYPE, {"linkname": "../victim/secret"})],
        [
            ("out", tarfile.SYMTYPE, {"linkname": "VICTIM"}),
            ("out", tarfile.DIRTYPE, {}),
            ("out/f", tarfile.REGTYPE, {}),
        ],
    ],
)
@pytest.mark.parametrize("how", ["layer", "download"])
def test_nothing_is_written_or_linked_outside(
    tmp_path: Path, members: list[tuple[str, bytes, dict[str, object]]], how: str
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "secret").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    given = [(n, k, {a: str(victim) if b == "VICTIM" else b for a, b in f.items()}) for n, k, f in members]
    archive = tar_of(tmp_path / "t.tar", *given)
    try:
        if how == "layer":
            apply_changes(str(root), archive)
        else:
            put_tree(open(archive, "rb"), "/x", root, 1 << 20, 100)
    except (OSError, berth.BerthError):
        pass
    assert os.listdir(victim) == ["secret"] and (victim / "secret").stat().st_nlink == 1
    assert sorted(os.listdir(tmp_path)) == ["root", "t.tar", "victim"]


def test_holes_stay_holes_in_a_layer(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    data = b"begin" + bytes(8 << 20) + b"middle" + bytes(8 << 20)
    apply_changes(str(root), tar_of(tmp_path / "t.tar", ("f", tarfile.REGTYPE, {"data": data})))
    assert (root / "f").read_bytes() == data
    assert (root / "f").stat().st_blocks * 512 < 1 << 20


def test_os_release_is_read_as_a_file_of_the_root_only(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("/etc/os-release")
    assert os_release(str(tmp_path)) == {}
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text('# c\nID=mine\nID_LIKE="x debian"\n')
    assert os_release(str(tmp_path)) == {"ID": "mine", "ID_LIKE": "x debian"}
    assert "docker.io" in install_script(str(tmp_path))
    (tmp_path / "usr/lib/os-release").write_text("ID=alpine\n")
    with pytest.raises(berth.ImageError, match="alpine"):
        install_script(str(tmp_path))
