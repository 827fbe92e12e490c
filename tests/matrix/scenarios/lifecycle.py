# SPDX-License-Identifier: Apache-2.0
"""Containers over their life"""

import json
import subprocess

from box import Box, Failure, has, same, scenario


@scenario()
def restart_policies(box: Box) -> None:
    """`--restart on-failure:N`, `always` and `unless-stopped`; `docker restart`"""
    box.docker("run -d --name fails --restart on-failure:2 busybox sh -c 'exit 1'")
    box.until(
        "two restarts", lambda: box.docker("inspect -f", "{{.RestartCount}} {{.State.Status}}", "fails") == "2 exited"
    )
    box.docker("run -d --name again --restart always busybox sh -c", "echo begun; sleep 1000")
    # Not by docker kill, which counts as a stop by hand.
    pid = box.docker("inspect -f {{.State.Pid}} again")
    box.inside(f"kill -9 {pid}")
    box.until("it was begun again", lambda: box.try_docker("logs again").out.count("begun") == 2)
    box.docker("run -d --name held --restart unless-stopped busybox sleep 1000")
    box.docker("stop -t 0 held")
    same(box.docker("inspect -f {{.State.Status}} held"), "exited")
    box.docker("restart -t 0 again")
    box.until("it was restarted", lambda: box.try_docker("logs again").out.count("begun") == 3)


@scenario()
def healthchecks(box: Box) -> None:
    """Health checks: starting, healthy, unhealthy, and what the check printed"""
    options = "--health-interval 1s --health-retries 2 --health-timeout 60s"
    box.docker(
        f"run -d --name patient {options} --health-cmd", "echo looked; test -e /well", "busybox", "sleep", "1000"
    )
    health = "inspect -f {{.State.Health.Status}} patient"
    box.until("unhealthy", lambda: box.docker(health) == "unhealthy")
    box.docker("exec patient touch /well")
    box.until("healthy", lambda: box.docker(health) == "healthy")
    has(box.docker("inspect -f '{{json .State.Health.Log}}' patient"), "looked")


@scenario()
def tells(box: Box) -> None:
    """`docker top`, `diff`, `port`, `events`, `rename` of a container"""
    events = box.popen(
        "docker",
        box.id,
        "--inside",
        "--",
        "events",
        "--format",
        "{{.Action}}",
        "--filter",
        "container=told",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        box.docker("run -d --name told -p 7070:80 busybox sh -c", "echo > /made; exec sleep 1234")
        has(box.docker("top told"), "sleep 1234")
        box.until("the file is there", lambda: "A /made" in box.docker("diff told"))
        has(box.docker("port told"), "80/tcp -> 0.0.0.0:7070")
        box.docker("rename told retold")
        same(box.docker("ps --format {{.Names}}"), "retold")
    finally:
        events.kill()
    has(events.communicate(timeout=60)[0], "create", "start")


@scenario()
def stats(box: Box) -> None:
    """`docker stats` of a container: memory, processes, CPU"""
    box.load("peer:1")
    box.docker("run -d --name told --memory 300m peer:1 peer eat 40")
    box.until("it has eaten", lambda: "ate 40" in box.try_docker("logs told").out)
    told = json.loads(box.docker("stats --no-stream --format '{{json .}}' told"))
    if told["PIDs"] == "0":
        raise Failure(f"all is zero: {told['MemUsage']}, {told['PIDs']} processes")
    used, _, limit = told["MemUsage"].partition(" / ")
    same(
        (limit, used.endswith("MiB") and 40 <= float(used.removesuffix("MiB")) < 80), ("300MiB", True), told["MemUsage"]
    )


@scenario()
def copies(box: Box) -> None:
    """`docker cp` out of a container and into it, running and stopped"""
    box.docker("run -d --name held busybox sh -c", "mkdir /out; echo first > /out/file; exec sleep 1000")
    box.until("the file is there", lambda: box.try_docker("exec held test -s /out/file").code == 0)
    same(box.inside("docker cp held:/out/file - | tar -xO"), "first")
    box.inside("docker cp -q held:/out /copied || docker cp held:/out /copied; grep first /copied/file")
    box.inside("mkdir -p /in && echo second > /in/file")
    box.refused("BERTH-CP-CHMOD", box.try_docker("cp /in/file held:/out/file"))
    same(box.docker("exec held cat /out/file"), "second")
    box.docker("stop -t 0 held")
    box.inside("echo third > /in/file && docker cp /in/file held:/out/file")
    same(box.inside("docker cp held:/out/file - | tar -xO"), "third")


@scenario()
def pause(box: Box) -> None:
    """`docker pause`, for which berth has `berth pause` of the whole sandbox"""
    box.docker("run -d --name held busybox sleep 1000")
    box.refused("BERTH-FREEZER", box.try_docker("pause held"))
    same(box.docker("inspect -f {{.State.Status}} held"), "paused")
    box.docker("unpause held")


@scenario()
def updates(box: Box) -> None:
    """`docker create`, `start -a`, `update`, `rm -f`, names and labels that are filtered by"""
    box.docker("create --name made --label tier=front busybox echo begun")
    same(box.docker("start -a made"), "begun")
    box.docker("update --restart always made")
    same(box.docker("inspect -f {{.HostConfig.RestartPolicy.Name}} made"), "always")
    same(box.docker("ps -a --filter label=tier=front --format {{.Names}}"), "made")
    box.docker("rm -f made")
    same(box.docker("ps -aq"), "")
