# SPDX-License-Identifier: Apache-2.0
"""Limits"""

import time

from box import KILLED, Box, Failure, Refused, same, scenario


@scenario(cut=True)
def memory(box: Box) -> None:
    """`--memory`: a container that takes more is killed, `OOMKilled` is true, the exit code 137; one that takes less is not"""
    box.load("peer:1")
    box.docker("run -d --name greedy --memory 48m peer:1 peer eat 150")
    same(box.docker("wait greedy"), str(KILLED))
    same(box.docker("inspect -f {{.State.OOMKilled}} greedy"), "true")
    box.docker("run -d --name modest --memory 200m peer:1 peer eat 100")
    box.until("it has eaten", lambda: "ate 100" in box.try_docker("logs modest").out)
    time.sleep(1)
    same(box.docker("inspect -f {{.State.Running}} modest"), "true")
    box.by(
        "berth watches and kills: gVisor counts a container's memory and does not limit it",
        box.said_by_berth("was over its memory limit"),
    )


@scenario()
def cpus(box: Box) -> None:
    """`--cpus`: a container that has a quarter of a CPU takes no more"""
    count = "end=$(($(cut -d. -f1 /proc/uptime) + 6)); while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; done; times"
    said = box.docker("run --rm --cpus 0.25 busybox sh -c", count)
    words = said.split()
    used = sum(int(word.split("m")[0]) * 60 + float(word.split("m")[1].rstrip("s")) for word in words)
    if used < 2.4:
        return
    for line in box.daemon_log().splitlines():
        if "berth: " in line and "processors" in line:
            raise Refused(line.partition("berth: ")[2])
    raise Failure(f"it used {used:.1f} s of 6, and nobody said so")


@scenario()
def pids(box: Box) -> None:
    """`--pids-limit` is held to"""
    box.load("peer:1")
    same(box.docker("run --rm --pids-limit 60 peer:1 peer fork 40"), "40")
    children = box.docker("run --rm --pids-limit 20 peer:1 peer fork 100")
    if children != "19" and box.said_by_berth("--pids-limit"):
        raise Refused("this gVisor asks for the number of processes at some forks only")
    same(children, "19", "the number of processes below the limit")
    mounts = box.inside("cat /proc/mounts")
    box.by(
        "berth mounts the cgroups as one hierarchy, which gVisor asks at each fork",
        "cpuset,devices,job,memory,pids" in mounts,
    )


@scenario()
def ulimits(box: Box) -> None:
    """`--ulimit` of open files, processes, core and locked memory"""
    said = box.docker(
        "run --rm --ulimit nofile=1234:2345 --ulimit core=0 --ulimit memlock=-1 busybox sh -c",
        "ulimit -n; ulimit -Hn; ulimit -c; ulimit -l",
    )
    same(said, "1234\n2345\n0\nunlimited")
    many = 'exec 3< /etc/passwd; i=4; while [ $i -lt 40 ]; do eval "exec $i< /etc/passwd" || exit 9; i=$((i+1)); done'
    same(
        box.try_docker("run --rm --ulimit nofile=20:20 busybox sh -c", many).code != 0,
        True,
        "that 20 files are the most",
    )


@scenario()
def shm_size(box: Box) -> None:
    """`--shm-size`, and /dev/shm as large as Docker makes it"""
    same(
        box.docker(
            "run --rm --shm-size 3m busybox sh -c",
            "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2; head -c 5m /dev/zero > /dev/shm/big || echo full",
        ),
        "3072\nfull",
    )
    same(box.docker("run --rm busybox sh -c", "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2"), "65536")


@scenario()
def memory_of_the_sandbox(box: Box) -> None:
    """`berth run --memory`: the sandbox's own limit ends what goes past it, and berth says so"""
    other = box.another()
    try:
        done = other.start("--memory", "700Mi")
        same(done.code, 0, "the exit code of berth run")
        other.load("peer:1")
        other.docker("run --rm peer:1 true")
        done = other.try_docker("run --rm peer:1 peer eat 1500")
        same(done.code != 0, True, "that it was ended")
        same(other.status().get("exit_reason"), "out_of_memory", "why it ended, by berth status")
    finally:
        other.remove()
