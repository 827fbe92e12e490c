# SPDX-License-Identifier: Apache-2.0
"""dockerd itself"""

from box import Box, Failure, Refused, has, same, scenario


@scenario(fresh=True)
def dockerd_killed(box: Box) -> None:
    """dockerd is killed: it is back by itself, with its images, volumes and networks, and containers run again"""
    box.docker("network create front")
    box.docker("run --rm -v kept:/data busybox sh -c 'echo here > /data/file'")
    box.docker("run -d --name again --restart always --network front busybox sleep 1000")
    before = box.inside("pidof dockerd")
    box.inside(f"kill -9 {before}")
    box.until("another dockerd", lambda: box.try_inside("pidof dockerd").out not in ("", before))
    same(box.host(*box.berth, "wait", box.id, "--timeout", "240").code, 0, "berth wait")
    same(box.docker("run --rm -v kept:/data busybox cat /data/file"), "here")
    has(box.docker("network ls --format {{.Name}}"), "front")
    box.until("the container is back", lambda: box.docker("inspect -f {{.State.Running}} again") == "true")
    box.serve("web", "--network", "front")
    box.serve("client", "--network", "front")
    same(box.reaches("client", "web"), "web: 1 of 1")
    box.by("the sandbox's first process starts it again", int(box.status()["docker"]["restarts"]) >= 1)


def take_and_restore(box: Box) -> None:
    name = f"matrix-{box.id}"
    taken = box.host(*box.berth, "snapshot", box.id, name)
    if taken.code != 0:
        if "use runsc 20260905.0 or newer" in taken.said:
            raise Refused(taken.said.splitlines()[0].removeprefix("berth: "))
        raise Failure(f"berth snapshot: {taken.said[:400]}")
    other = box.another()
    try:
        made = box.host(*box.berth, "run", "-d", "--wait", "--from", name)
        same(made.code, 0, "the exit code of berth run --from")
        other.id = made.out
        same(other.docker("run --rm -v kept:/data busybox cat /data/file"), "here")
        other.until("the container runs", lambda: other.docker("inspect -f {{.State.Running}} again") == "true")
    finally:
        other.remove()
        box.host(*box.berth, "snapshot", "rm", name)


@scenario(fresh=True)
def snapshot(box: Box) -> None:
    """`berth snapshot` and `berth run --from`: Docker, images, volumes and restarted containers are there in the copy"""
    box.docker("run --rm -v kept:/data busybox sh -c 'echo here > /data/file'")
    box.docker("run -d --name again --restart always busybox sleep 1000")
    take_and_restore(box)


@scenario(fresh=True)
def snapshot_after_traffic(box: Box) -> None:
    """The same, with a container that has fetched something over the network before"""
    box.docker("run --rm -v kept:/data busybox sh -c 'echo here > /data/file'")
    fetch = f"wget -q -O /got http://{box.work.outside}:7999/; exec sleep 1000"
    box.docker("run -d --name again --restart always busybox sh -c", fetch)
    box.until("it has fetched it", lambda: "sleep 1000" in box.try_docker("top again").out)
    take_and_restore(box)
