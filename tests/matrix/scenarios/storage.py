# SPDX-License-Identifier: Apache-2.0
"""Volumes and mounts"""

from box import Box, has, same, scenario


@scenario(cut=True)
def volumes(box: Box) -> None:
    """Volumes: named, anonymous, read-only, shared by two containers, filled from the image, removed with `-v`"""
    box.docker("volume create kept")
    box.docker("run --rm -v kept:/data busybox sh -c 'echo here > /data/file'")
    same(box.docker("run --rm -v kept:/data:ro busybox cat /data/file"), "here")
    box.docker("run --rm -v kept:/data:ro busybox touch /data/other", code=1)
    box.docker("run -d --name one -v kept:/data busybox sleep 1000")
    box.docker("run --rm --volumes-from one busybox sh -c 'echo two > /data/two'")
    same(box.docker("exec one cat /data/two"), "two")
    box.load("tree:1")
    same(box.docker("run --rm -v filled:/some tree:1 cat /some/kept"), "kept")
    same(box.docker("run --rm -v filled:/seen busybox ls /seen"), "kept")
    box.docker("run -d --name anonymous -v /anonymous busybox true")
    before = len(box.docker("volume ls -q").split())
    box.docker("rm -v anonymous")
    same(len(box.docker("volume ls -q").split()), before - 1)


@scenario()
def binds(box: Box) -> None:
    """Binds of directories and files of the sandbox: both ways, read-only, `--mount type=bind`, one that is not there"""
    box.inside("mkdir -p /shared && echo outer > /shared/file")
    same(box.docker("run --rm -v /shared:/in busybox sh -c 'cat /in/file; echo inner > /in/made'"), "outer")
    same(box.inside("cat /shared/made"), "inner")
    same(box.docker("run --rm -v /shared/file:/one:ro busybox sh -c 'cat /one; ! echo > /one'"), "outer")
    same(
        box.docker(
            "run --rm --mount type=bind,src=/shared,dst=/in,readonly busybox sh -c 'cat /in/made; ! touch /in/x'"
        ),
        "inner",
    )
    box.docker("run --rm --mount type=bind,src=/absent,dst=/in busybox true", code=125)
    has(box.docker("run --rm -v /:/host:ro,rslave busybox ls /host"), "usr")


@scenario()
def tmpfs(box: Box) -> None:
    """`--tmpfs` and `--mount type=tmpfs` with a size that holds"""
    same(
        box.docker(
            "run --rm --tmpfs /scratch:size=1m busybox sh -c",
            "stat -f -c %T /scratch; head -c 2m /dev/zero > /scratch/big || echo full",
        ),
        "tmpfs\nfull",
    )
    mount = "type=tmpfs,dst=/scratch,tmpfs-size=1m,tmpfs-mode=1700"
    same(
        box.docker(
            f"run --rm --mount {mount} busybox sh -c",
            "stat -c %a /scratch; head -c 2m /dev/zero > /scratch/big || echo full",
        ),
        "1700\nfull",
    )


@scenario()
def subpath(box: Box) -> None:
    """`--mount type=volume,volume-subpath=…`"""
    box.docker(
        "run --rm -v parts:/data busybox sh -c 'mkdir -p /data/a /data/b; echo a > /data/a/file; echo b > /data/b/file'"
    )
    same(box.docker("run --rm --mount type=volume,src=parts,dst=/part,volume-subpath=b busybox cat /part/file"), "b")


@scenario()
def data_root(box: Box) -> None:
    """A data root in a directory of the host: images, volumes and containers are there for the next sandbox"""
    directory = box.work.directory / f"data-{box.id}"
    directory.mkdir(mode=0o700)
    other = box.another()
    try:
        for turn in ("first", "second"):
            done = other.start("--data-root", str(directory))
            if done.code != 0:
                same(done.said, "", f"what the {turn} sandbox says")
            if turn == "first":
                other.load("busybox:latest")
                has(other.docker("info --format {{.Driver}}"), "overlay")
                other.docker(
                    "run --name made -v kept:/data busybox sh -c 'echo from the first > /data/file; echo > /layer'"
                )
            else:
                same(other.docker("run --rm -v kept:/data busybox cat /data/file"), "from the first")
                has(other.docker("diff made"), "A /layer")
            same(other.host(*other.berth, "rm", other.id).code, 0)
            other.id = ""
    finally:
        other.remove()
        other.host("rm", "-rf", "--one-file-system", str(directory))
