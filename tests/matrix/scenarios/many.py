# SPDX-License-Identifier: Apache-2.0
"""Many containers"""

from box import Box, same, scenario


@scenario()
def fifty_at_once(box: Box) -> None:
    """50 containers run at once, each of which answers by name"""
    box.load("peer:1")
    box.docker("network create front")
    box.inside(
        "for n in 1 2 3 4 5; do (for i in 0 1 2 3 4 5 6 7 8 9; do docker run -d --network front --name c$n$i --hostname c$n$i peer:1 peer serve 80 >/dev/null; done) & done; wait",
        timeout=1500,
    )
    same(len(box.docker("ps -q").split()), 50)
    box.docker("run -d --name client --network front peer:1 sleep 1000")
    all = "for n in 1 2 3 4 5; do for i in 0 1 2 3 4 5 6 7 8 9; do peer call tcp c$n$i 80; done; done | grep -c ': 1 of 1'"
    same(box.docker("exec client sh -c", all, timeout=900), "50")
    box.inside("docker rm -f $(docker ps -aq) | wc -l", timeout=900)
    same(box.docker("ps -aq"), "")


@scenario(fresh=True)
def six_hundred(box: Box) -> None:
    """600 containers one after another"""
    script = 'i=0; n=0; while [ $i -lt 600 ]; do i=$((i+1)); [ "$(docker run --rm busybox echo ran 2>&1)" = ran ] && n=$((n+1)); done; echo $n'
    same(box.inside(script, timeout=6000), "600")
    keys = int(box.inside("cat /proc/sys/kernel/keys/maxkeys"))
    box.by("the nested runtime gives containers no session keyring: gVisor has 200 and frees none", keys < 600)


@scenario()
def prune(box: Box) -> None:
    """`docker system prune`: stopped containers, networks, volumes, images and the build cache; what runs stays"""
    box.docker("run -d --name stays busybox sleep 1000")
    box.docker("run --name goes busybox true")
    box.docker("network create unused")
    box.docker("run --rm -v kept:/data busybox true")
    box.file("/context/Dockerfile", "FROM busybox\nRUN echo built > /made\n")
    box.inside("cd /context && DOCKER_BUILDKIT=1 docker build -q -t built . 2>&1 && docker system df")
    box.docker("system prune -a -f --volumes")
    box.docker("volume prune -f")
    same(box.docker("ps -a --format {{.Names}}"), "stays")
    same(box.docker("images -q built"), "")
    same("unused" in box.docker("network ls"), False, "that the network is there")
    same(box.docker("run --rm busybox echo still"), "still")
