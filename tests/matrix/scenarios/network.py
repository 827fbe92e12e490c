# SPDX-License-Identifier: Apache-2.0
"""Networks"""

import json
import subprocess

from box import Box, has, same, scenario


def rules(box: Box, chain: str, table: str = "filter") -> str:
    return box.try_inside(f"iptables-legacy -t {table} -S {chain}").out


def ask(box: Box, address: str, port: int, kind: str = "tcp") -> str:
    """From this host."""
    done = box.host(str(box.work.tools / "peer"), "call", kind, address, str(port), "1")
    return done.out if done.code == 0 else ""


def address(box: Box, container: str, network: str) -> str:
    networks = json.loads(box.docker("inspect -f", "{{json .NetworkSettings.Networks}}", container))
    return networks[network]["IPAddress"]


@scenario()
def bridge(box: Box) -> None:
    """Two containers on the default bridge: tcp, udp and ping by address"""
    box.serve("one")
    box.serve("two")
    to = address(box, "two", "bridge")
    same(box.reaches("one", to, count=20), "two: 20 of 20")
    same(box.reaches("one", to, kind="udp"), "two: 1 of 1")
    has(box.docker(f"exec one ping -c 3 {to}"), "3 packets received")
    box.by(
        "a rule of berth's keeps gVisor from forwarding bridged frames a second time",
        "DROP" in rules(box, "BERTH-FORWARD"),
    )


@scenario(cut=True)
def names(box: Box) -> None:
    """A network of one's own: containers find each other by name and alias, and those of another network do not"""
    box.docker("network create front")
    box.docker("network create other")
    box.serve("web", "--network", "front", "--network-alias", "site")
    box.serve("client", "--network", "front")
    box.serve("stranger", "--network", "other")
    same(box.reaches("client", "web", count=20), "web: 20 of 20")
    same(box.reaches("client", "site"), "web: 1 of 1")
    same(box.reaches("client", "web", kind="udp"), "web: 1 of 1")
    box.cut_off("stranger", "web")
    # Where the root file system has not chosen the legacy variant itself.
    if box.inside("ls /run/berth-docker/bin").split().count("iptables"):
        box.by("dockerd gets iptables-legacy, by which its name server is reached; the nft variant does not work", True)


@scenario()
def internal(box: Box) -> None:
    """`network create --internal`: its containers reach each other, and nothing else"""
    box.docker("network create --internal vault")
    box.docker("network create front")
    box.serve("inner", "--network", "vault")
    box.serve("other", "--network", "vault")
    box.serve("outer", "--network", "front", "-p", "7070:80")
    fetch = f"timeout 15 wget -q -O - http://{box.work.outside}:7999/"
    same(box.reaches("inner", "other"), "other: 1 of 1")
    same(box.try_docker(f"exec inner {fetch}").code != 0, True, "that the outside is out of reach")
    box.cut_off("inner", address(box, "outer", "front"))
    box.cut_off("inner", box.address, 7070)
    same(box.docker(f"exec outer {fetch}"), "from outside")
    box.by("berth's rules close its bridge", "DROP" in rules(box, "BERTH-FORWARD"))


@scenario()
def several_networks(box: Box) -> None:
    """A container on several networks, `network connect` and `disconnect`, a fixed address, `--network container:`, `host`, `none`"""
    box.docker("network create front")
    box.docker("network create --subnet 172.30.9.0/24 back")
    box.serve("web", "--network", "front")
    box.serve("db", "--network", "back", "--ip", "172.30.9.77")
    box.serve("both", "--network", "front")
    box.docker("network connect --alias middle back both")
    same(box.reaches("both", "web"), "web: 1 of 1")
    same(box.reaches("both", "db"), "db: 1 of 1")
    same(box.reaches("db", "middle"), "both: 1 of 1")
    same(address(box, "db", "back"), "172.30.9.77")
    box.cut_off("web", "172.30.9.77")
    box.docker("network disconnect back both")
    box.cut_off("both", "db")
    same(box.docker("run --rm --network container:db peer:1 peer call tcp 127.0.0.1 80"), "db: 1 of 1")
    same(box.docker("run --rm --network none busybox sh -c", "ip -o link | grep -vc ' lo:'", code=1), "0")
    box.docker("run -d --name inhost --network host peer:1 peer serve 7071")
    box.until("it serves", lambda: "serving" in box.try_docker("logs inhost").out)
    same(ask(box, box.address, 7071) != "", True, "that the host's network is the sandbox's")


@scenario(cut=True)
def published(box: Box) -> None:
    """Published ports, tcp and udp, of all addresses and of 127.0.0.1, a range, one that Docker chooses"""
    box.serve(
        "web", "-p", "8080:80", "-p", "8081:80/udp", "-p", "127.0.0.1:8082:80", "-p", "9100-9102:80-82", "-p", "80"
    )
    where = box.address
    same(ask(box, where, 8080), "web: 1 of 1")
    same(ask(box, where, 8081, "udp"), "web: 1 of 1")
    same(ask(box, where, 8082), "")
    same(box.inside("/tools/peer call tcp 127.0.0.1 8082"), "web: 1 of 1")
    same(box.inside("/tools/peer call tcp 127.0.0.1 8080"), "web: 1 of 1")
    same(ask(box, where, 9100), "web: 1 of 1")
    has(box.docker("port web 82"), "0.0.0.0:9102")
    chosen = json.loads(box.docker("inspect -f '{{json .NetworkSettings.Ports}}' web"))["80/tcp"]
    free = [one["HostPort"] for one in chosen if one["HostPort"] not in ("8080", "8082", "9100")]
    same(ask(box, where, int(free[0])), "web: 1 of 1")
    taken = box.try_docker("run --rm -p 8080:80 busybox true")
    same(taken.code, 125, "the exit code for a port that is taken")
    has(taken.said, "already allocated")


@scenario()
def hairpin(box: Box) -> None:
    """Containers reach a published port by the sandbox's own address, tcp and udp, and the one that publishes too"""
    box.docker("network create front")
    box.serve("web", "-p", "8080:80", "-p", "8080:80/udp")
    box.serve("plain")
    box.serve("other", "--network", "front")
    own = box.address
    for container in ("plain", "other", "web"):
        same(box.reaches(container, own, 8080, count=10), "web: 10 of 10", container)
        same(box.reaches(container, own, 8080, kind="udp"), "web: 1 of 1", f"{container}, udp")
    box.by(
        "berth gives each bridge the sandbox's own address",
        box.inside(f"ip -o -4 addr | grep -c ' {own}/'") not in ("0", "1"),
    )


@scenario()
def host_gateway(box: Box) -> None:
    """`--add-host host.docker.internal:host-gateway` leads to what runs in the sandbox beside Docker"""
    server = box.popen("exec", box.id, "--", "/tools/peer", "serve", "7072")
    try:
        box.until("the server is up", lambda: box.try_inside("/tools/peer call tcp 127.0.0.1 7072").code == 0)
        box.load("peer:1")
        name = "host.docker.internal"
        said = box.docker(f"run --rm --add-host {name}:host-gateway peer:1 peer call tcp {name} 7072")
        has(said, ": 1 of 1")
    finally:
        server.terminate()
        server.wait(120)


@scenario(cut=True)
def egress(box: Box) -> None:
    """Containers reach a server behind the host, on the default bridge and on a network of one's own"""
    box.docker("network create front")
    fetch = f"timeout 20 wget -q -O - http://{box.work.outside}:7999/"
    same(box.docker(f"run --rm busybox {fetch}"), "from outside")
    same(box.docker(f"run --rm --network front busybox {fetch}"), "from outside")
    box.by("berth's source NAT, in place of MASQUERADE, which gVisor lacks", "SNAT" in rules(box, "BERTH-SNAT", "nat"))


@scenario()
def egress_policy(box: Box) -> None:
    """`berth egress set none` holds for containers, and ends with `all`; what they publish is still reached"""
    box.serve("web", "-p", "8080:80")
    fetch = f"exec web timeout 15 wget -q -O - http://{box.work.outside}:7999/"
    same(box.docker(fetch), "from outside")
    berth = [*box.berth, "egress", box.id, "set"]
    same(box.host(*berth, "none").code, 0)
    same(box.try_docker(fetch).code != 0, True, "that nothing is reached")
    same(ask(box, box.address, 8080), "web: 1 of 1")
    same(box.host(*berth, "all").code, 0)
    same(box.docker(fetch), "from outside")


@scenario()
def names_of_hosts(box: Box) -> None:
    """`--add-host`, `--dns`, `--hostname`, and /etc/hosts of a container"""
    said = box.docker(
        "run --rm --add-host there:192.0.2.9 --hostname here --dns 192.0.2.53 busybox sh -c",
        "cat /etc/hosts /etc/resolv.conf",
    )
    has(said, "192.0.2.9\tthere", "\there", "nameserver 192.0.2.53")


@scenario()
def ipv6(box: Box) -> None:
    """A network with IPv6"""
    done = box.try_docker("network create --ipv6 --subnet fd00:77::/64 six")
    box.refused("BERTH-IPV6-NETWORK", done)
    done = box.try_docker("run --rm --network six busybox ip -6 addr")
    box.refused("BERTH-IPV6-NETWORK", done)
    has(done.out, "fd00:77:")


@scenario()
def two_thousand_connections(box: Box) -> None:
    """2,000 connections from one container to another, each by name, while as many go back: none is lost"""
    box.docker("network create front")
    box.serve("one", "--network", "front")
    box.serve("two", "--network", "front")
    words = ["docker", box.id, "--inside", "--", "exec", "two", "peer", "call", "tcp", "one", "80", "2000"]
    back = box.popen(*words, stdout=subprocess.PIPE, text=True)
    there = box.try_docker("exec one peer call tcp two 80 2000", timeout=400).out.splitlines()[-3:]
    same(there, ["two: 2000 of 2000"])
    same(back.communicate(timeout=400)[0].splitlines()[-3:], ["one: 2000 of 2000"])
