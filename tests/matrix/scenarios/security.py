# SPDX-License-Identifier: Apache-2.0
"""Rights and devices"""

from box import Box, has, same, scenario


def bounding(text: str) -> int:
    return int(text.split()[-1], 16)


CAPS = "grep CapEff /proc/self/status"


@scenario()
def privileged(box: Box) -> None:
    """`--privileged`: all that the sandbox has; mounts, iptables and network set-up inside; `docker exec --privileged`"""
    mine = box.docker(f"run --rm --privileged busybox {CAPS}")
    same(mine, box.inside(CAPS))
    same(bounding(mine) > bounding(box.docker(f"run --rm busybox {CAPS}")), True, "that it has more than others")
    same(
        box.docker(
            "run --rm --privileged busybox sh -c",
            "mkdir /m && mount -t tmpfs none /m && echo x > /m/f && cat /m/f",
        ),
        "x",
    )
    box.docker("run -d --name plain busybox sleep 1000")
    same(box.docker(f"exec --privileged plain {CAPS}"), mine)


@scenario()
def capabilities(box: Box) -> None:
    """`--cap-drop`, `--cap-add` of what the sandbox has, `--cap-drop ALL` with one added"""
    same(bounding(box.docker(f"run --rm --cap-drop ALL busybox {CAPS}")), 0)
    same(bounding(box.docker(f"run --rm --cap-drop ALL --cap-add CHOWN busybox {CAPS}")), 1)
    with_admin = bounding(box.docker(f"run --rm --cap-add SYS_ADMIN busybox {CAPS}"))
    same(with_admin >> 21 & 1, 1, "CAP_SYS_ADMIN")
    box.docker("run --rm --cap-drop CHOWN busybox chown 1 /tmp", code=1)
    add = "ip addr add 10.99.9.9/32 dev lo && ip -o -4 addr show lo | grep -c 10.99.9.9"
    same(box.docker("run --rm --cap-add NET_ADMIN busybox sh -c", add), "1")
    box.docker("run --rm busybox sh -c", add, code=2)


@scenario()
def absent_capability(box: Box) -> None:
    """`--cap-add` of one that the sandbox does not have (SYS_MODULE)"""
    done = box.try_docker("run --rm --cap-add SYS_MODULE busybox echo ran")
    box.refused("BERTH-CAP-ADD", done)
    same(done.out, "ran")
    box.by("the capability is left out, and dockerd's log says so", box.said_by_berth("SYS_MODULE"))


@scenario()
def devices(box: Box) -> None:
    """`--device`: a device of the sandbox is there in the container; the default ones work"""
    same(
        box.docker(
            "run --rm --device /dev/null:/dev/other busybox sh -c",
            "test -c /dev/other && echo gone > /dev/other && echo there",
        ),
        "there",
    )
    same(
        box.docker(
            "run --rm busybox sh -c",
            "head -c 4 /dev/zero | wc -c; head -c 9 /dev/urandom | wc -c; echo x > /dev/null; ls /dev/pts /dev/shm >/dev/null && echo ok",
        ),
        "4\n9\nok",
    )


@scenario()
def security_options(box: Box) -> None:
    """`--security-opt`: no-new-privileges, seccomp=unconfined, a seccomp profile, systempaths=unconfined"""
    has(box.docker("run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status"), "1")
    same(box.docker("run --rm --security-opt seccomp=unconfined busybox echo ran"), "ran")
    box.file(
        "/profile.json",
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}',
    )
    same(
        box.docker("run --rm --security-opt seccomp=/profile.json busybox sh -c 'mkdir /x 2>/dev/null || echo denied'"),
        "denied",
    )
    same(box.docker("run --rm --security-opt systempaths=unconfined busybox echo ran"), "ran")


@scenario()
def masked_paths(box: Box) -> None:
    """What Docker masks (/proc/kcore, /sys/firmware, …) shows nothing"""
    look = "head -c 9 /proc/kcore 2>/dev/null | wc -c; ls /sys/firmware /proc/acpi 2>/dev/null | grep -vc :"
    same(box.docker("run --rm busybox sh -c", look + "; true"), "0\n0")
    if " /sys/firmware " not in box.docker("run --rm busybox cat /proc/mounts"):
        box.by(
            "the nested runtime leaves directories uncovered that are empty in gVisor, where this runsc cannot cover them",
            True,
        )


@scenario()
def read_only(box: Box) -> None:
    """`--read-only`, with a tmpfs and a volume that can be written"""
    same(
        box.docker(
            "run --rm --read-only --tmpfs /tmp -v kept:/data busybox sh -c",
            "touch /file 2>/dev/null || echo refused; touch /tmp/a /data/b && echo written",
        ),
        "refused\nwritten",
    )


@scenario()
def users(box: Box) -> None:
    """`--user`, by name and number, `--group-add`, files of one's own"""
    said = box.docker("run --rm -u nobody --group-add 77 busybox id").split()
    same(said[:2], ["uid=65534(nobody)", "gid=65534(nogroup)"])
    same(set(said[2].removeprefix("groups=").split(",")), {"65534(nogroup)", "77"})
    same(
        box.docker(
            "run --rm -u 1000:1001 busybox sh -c",
            "touch /tmp/mine && stat -c %u:%g /tmp/mine; touch /root/x 2>/dev/null || echo refused",
        ),
        "1000:1001\nrefused",
    )


@scenario()
def init(box: Box) -> None:
    """`--init` reaps orphans and passes signals on; `--pid host`, `--ipc` and `--uts host`"""
    box.docker("run -d --name reaped --init busybox sh -c", "(sleep 0.2 & ) ; sleep 1; exec sleep 1000")
    has(box.docker("exec reaped sh -c", "cat /proc/1/comm"), "init")
    box.docker("stop -t 20 reaped")
    same(box.docker("inspect -f {{.State.ExitCode}} reaped"), "143")
    has(box.docker("run --rm --pid host busybox ps"), "dockerd")
    same(box.docker("run --rm --uts host busybox hostname"), box.inside("hostname"))
    box.docker("run -d --name shares --ipc shareable busybox sh -c 'echo one > /dev/shm/x; sleep 1000'")
    box.until(
        "it is there", lambda: box.try_docker("run --rm --ipc container:shares busybox cat /dev/shm/x").out == "one"
    )


@scenario()
def sysctls(box: Box) -> None:
    """`--sysctl` of what gVisor has; of what it tunes nothing by; of what it does not have"""
    same(box.docker("run --rm --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward"), "1")
    same(box.docker("run --rm --sysctl net.core.somaxconn=4096 busybox echo ran"), "ran")
    box.by("what gVisor does not have is left out, and dockerd's log says so", box.said_by_berth("net.core.somaxconn"))
