# SPDX-License-Identifier: Apache-2.0
"""Images"""

from box import Box, has, same, scenario


@scenario(cut=True)
def whiteouts(box: Box) -> None:
    """Layers: files and whole directories that a later layer takes away, hard links"""
    box.load("tree:1")
    same(
        box.docker("run --rm tree:1 sh -c", "ls /some /all; stat -c %h /hard/one; cat /hard/two"),
        "/all:\nnew\n\n/some:\nkept\n2\nlinked",
    )
    box.docker("run --name later tree:1 sh -c 'rm -r /some /hard/one; mkdir /some; echo 2 > /some/second'")
    box.docker("commit later tree:2")
    same(box.docker("run --rm tree:2 sh -c 'ls /some /hard'"), "/hard:\ntwo\n\n/some:\nsecond")


@scenario()
def attributes(box: Box) -> None:
    """Layers: extended attributes; they are set and read in containers too"""
    box.load("tree:1")
    same(box.docker("run --rm tree:1 peer xattr /noted user.note"), "from the layer")
    same(
        box.docker("run --rm tree:1 sh -c", "touch /new && peer xattr /new user.more set && peer xattr /new user.more"),
        "set",
    )


@scenario()
def file_capabilities(box: Box) -> None:
    """Layers: file capabilities, which a program has though another user than root runs it"""
    box.load("tree:1")
    effective = box.docker("run --rm -u 1000 tree:1 /busybox-capable grep CapEff /proc/self/status")
    same(effective, "CapEff:\t0000000000000400")


@scenario()
def setuid(box: Box) -> None:
    """A setuid program (sudo, su) has its owner's rights"""
    box.load("tree:1")
    same(box.docker("run --rm -u 1000 tree:1 stat -c %a /peer-setuid"), "4755")
    same(box.docker("run --rm -u 1000 tree:1 /peer-setuid uid"), "0", "the user")


@scenario()
def setuid_allowed(box: Box) -> None:
    """The same in a sandbox of `berth run --runsc-arg=--allow-suid`"""
    other = box.another()
    try:
        done = other.start("--runsc-arg=--allow-suid")
        same((done.code, done.err), (0, ""), "berth run")
        other.load("tree:1")
        same(other.docker("run --rm -u 1000 tree:1 /peer-setuid uid"), "0", "the user")
        done = other.try_docker("run --rm -u 1000 --security-opt no-new-privileges tree:1 /peer-setuid uid")
        same(done.out, "1000", "the user with no-new-privileges")
    finally:
        other.remove()


@scenario()
def hundred_layers(box: Box) -> None:
    """An image of 100 layers runs"""
    box.load("layers:100")
    same(box.docker("run --rm layers:100 cat /layers/1 /layers/99"), "1\n99")
    same(box.docker("inspect -f '{{len .RootFS.Layers}}' layers:100"), "100")
    short = "ls -d /run/.l 2>/dev/null || ls /var/lib/docker/overlay2/l | grep -x ..  | head -n 1"
    box.by("the guest keeps the paths of layers short, so that mount(2) takes them", box.inside(short))


@scenario()
def save_and_load(box: Box) -> None:
    """`docker save` and `load`, of an image with several layers and two names"""
    box.load("tree:1")
    box.docker("tag tree:1 tree:also")
    box.inside("docker save tree:1 tree:also > /saved.tar && docker rmi tree:1 tree:also")
    box.loaded.discard("tree:1")
    has(box.inside("docker load < /saved.tar"), "tree:1", "tree:also")
    same(box.docker("run --rm tree:also cat /all/new"), "new")


@scenario()
def export_and_import(box: Box) -> None:
    """`docker export` of a container and `import` of what came out, with a command of its own"""
    box.docker("run --name source busybox sh -c 'echo carried > /carried'")
    box.inside('docker export source | docker import --change \'CMD ["cat", "/carried"]\' - flat')
    same(box.docker("run --rm flat"), "carried")
    same(box.docker("inspect -f '{{len .RootFS.Layers}}' flat"), "1")


@scenario()
def commit(box: Box) -> None:
    """`docker commit` with changes, `history`, `tag`, `rmi`, `images`"""
    box.docker("run --name source busybox sh -c 'echo committed > /made'")
    box.docker(
        "commit --change",
        "ENV KIND=committed",
        "--change",
        'CMD ["sh", "-c", "cat /made; echo $KIND"]',
        "source",
        "made:1",
    )
    same(box.docker("run --rm made:1"), "committed\ncommitted")
    box.docker("tag made:1 made:2")
    has(box.docker("images --format {{.Repository}}:{{.Tag}}"), "made:1", "made:2", "busybox:latest")
    same(len(box.docker("history -q made:1").split()), len(box.docker("history -q busybox").split()) + 1)
    box.docker("rmi made:1")
    same(box.docker("run --rm made:2 cat /made"), "committed")
