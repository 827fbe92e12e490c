# SPDX-License-Identifier: Apache-2.0
"""docker-py's arguments become docker's words, and nothing is lost or smuggled on the way."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker.types
import pytest
from berth.docker import argv, paths
from berth.docker.async_result import LineStarts

RUN: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"detach": True}, ["--detach"]),
    ({"detach": False}, []),
    ({"remove": True}, ["--rm", "--log-driver=none"]),
    ({"remove": True, "auto_remove": True}, ["--rm", "--log-driver=none"]),
    ({"remove": True, "detach": True}, ["--rm", "--detach"]),
    ({"remove": True, "log_config": {"type": "local"}}, ["--rm", "--log-driver=local"]),
    ({"ports": {"80": "8080"}}, ["--publish=8080:80"]),
    ({"ports": {"80/tcp": 8080}}, ["--publish=8080:80/tcp"]),
    ({"ports": {80: None}}, ["--publish=80"]),
    ({"ports": {"53/udp": ("127.0.0.1", 5353)}}, ["--publish=127.0.0.1:5353:53/udp"]),
    ({"ports": {"80": ("127.0.0.1",)}}, ["--publish=127.0.0.1::80"]),
    ({"ports": {"80": [8080, 8081]}}, ["--publish=8080:80", "--publish=8081:80"]),
    ({"environment": {"A": "b c", "E": ""}}, ["--env=A=b c", "--env=E="]),
    ({"environment": ["A=b", "PATH"]}, ["--env=A=b", "--env=PATH"]),
    ({"env": {"A": "--privileged"}}, ["--env=A=--privileged"]),
    ({"environment": {"FROM_OUTSIDE": None}}, ["--env=FROM_OUTSIDE"]),
    ({"volumes": {"/a": {"bind": "/b", "mode": "ro"}}}, ["--volume=/a:/b:ro"]),
    ({"volumes": {"data": {"bind": "/b"}}}, ["--volume=data:/b:rw"]),
    ({"volumes": ["/a:/b"]}, ["--volume=/a:/b"]),
    ({"name": "web"}, ["--name=web"]),
    ({"network": "n"}, ["--network=n"]),
    ({"network_mode": "host"}, ["--network=host"]),
    ({"mem_limit": "64m", "nano_cpus": 1_500_000_000}, ["--memory=64m", "--cpus=1.5"]),
    ({"restart_policy": {"Name": "on-failure", "MaximumRetryCount": 3}}, ["--restart=on-failure:3"]),
    ({"restart_policy": {"Name": "always"}}, ["--restart=always"]),
    ({"extra_hosts": {"db": "10.0.0.1"}}, ["--add-host=db:10.0.0.1"]),
    ({"labels": {"a": "b"}}, ["--label=a=b"]),
    ({"labels": ["a"]}, ["--label=a"]),
    ({"tmpfs": {"/run": "size=1m", "/tmp": ""}}, ["--tmpfs=/run:size=1m", "--tmpfs=/tmp"]),
    ({"cap_add": ["NET_ADMIN"], "privileged": True}, ["--cap-add=NET_ADMIN", "--privileged"]),
    ({"user": 1000, "working_dir": "/w"}, ["--user=1000", "--workdir=/w"]),
    ({"stream": True, "name": None}, []),
    ({"tty": True, "stdin_open": True}, ["--tty", "--interactive"]),
    ({"ulimits": [{"Name": "nofile", "Soft": 64, "Hard": 128}]}, ["--ulimit=nofile=64:128"]),
    ({"ulimits": [docker.types.Ulimit(name="core", soft=0)]}, ["--ulimit=core=0"]),
    ({"dns_search": ["a.b"], "dns_opt": ["ndots:2"]}, ["--dns-search=a.b", "--dns-option=ndots:2"]),
    ({"cpu_period": 100000, "cpu_quota": 50000}, ["--cpu-period=100000", "--cpu-quota=50000"]),
    ({"network_disabled": True, "oom_kill_disable": False}, ["--network=none"]),
    ({"network": "n", "network_disabled": False}, ["--network=n"]),
    ({"storage_opt": {"size": "1g"}}, ["--storage-opt=size=1g"]),
    (
        {"mounts": [docker.types.Mount("/b", "/a,b", type="bind", read_only=True, propagation="rslave")]},
        ['--mount=type=bind,"source=/a,b",target=/b,readonly,bind-propagation=rslave'],
    ),
    (
        {"mounts": [docker.types.Mount("/v", "data", no_copy=True, labels={"a": "b"})]},
        ["--mount=type=volume,source=data,target=/v,volume-nocopy,volume-label=a=b"],
    ),
    (
        {"mounts": [docker.types.Mount("/t", None, type="tmpfs", tmpfs_size=4096, tmpfs_mode=0o700)]},
        ["--mount=type=tmpfs,target=/t,tmpfs-size=4096,tmpfs-mode=700"],
    ),
    (
        {"mounts": [docker.types.Mount("/v", None, driver_config=docker.types.DriverConfig("d", {"o": "1"}))]},
        ["--mount=type=volume,target=/v,volume-driver=d,volume-opt=o=1"],
    ),
    ({"mounts": ["type=tmpfs,target=/t"]}, ["--mount=type=tmpfs,target=/t"]),
    ({"env_file": "/app/env"}, ["--env-file=/app/env"]),
    ({"env_file": [Path("/app/env"), "other"]}, ["--env-file=/app/env", "--env-file=other"]),
    ({"gpus": "all"}, ["--gpus=all"]),
    ({"network": "n", "ip": "10.1.0.5", "ip6": "fd00::5"}, ["--network=n", "--ip=10.1.0.5", "--ip6=fd00::5"]),
    ({"expose": [80, "443/tcp"]}, ["--expose=80", "--expose=443/tcp"]),
    ({"expose": 80, "stop_timeout": 3}, ["--expose=80", "--stop-timeout=3"]),
    ({"volumes": {Path("/a"): {"bind": "/b"}}, "working_dir": Path("/w")}, ["--volume=/a:/b:rw", "--workdir=/w"]),
    ({"healthcheck": {"test": "exit 0", "retries": 2}}, ["--health-cmd=exit 0", "--health-retries=2"]),
    ({"healthcheck": {"test": ["NONE"]}}, ["--no-healthcheck"]),
    ({"healthcheck": {"test": ["CMD-SHELL", "a | b"]}}, ["--health-cmd=a | b"]),
    (
        {"healthcheck": docker.types.Healthcheck(test=["CMD", "a", "b c"], interval=10**9, start_period=5)},
        ["--health-cmd=a 'b c'", "--health-interval=1000000000ns", "--health-start-period=5ns"],
    ),
    (
        {"log_config": docker.types.LogConfig(type="json-file", config={"max-size": "1m"})},
        ["--log-driver=json-file", "--log-opt=max-size=1m"],
    ),
]


@pytest.mark.parametrize(("given", "wanted"), RUN)
def test_run(given: dict[str, Any], wanted: list[str]) -> None:
    assert argv.run("img", ["cmd", "-x"], given) == ["run", *wanted, "img", "cmd", "-x"]


def test_a_command_is_split_as_a_shell_would() -> None:
    assert argv.run("img", "sh -c 'echo \"a b\"'", {}) == ["run", "img", "sh", "-c", 'echo "a b"']


def test_a_list_is_taken_as_it_is() -> None:
    assert argv.run("img", ["echo", "$HOME; rm"], {}) == ["run", "img", "echo", "$HOME; rm"]


def test_an_entrypoint_of_several_words() -> None:
    for words in (["sh", "-c"], "sh -c"):
        assert argv.run("img", ["echo hi"], {"entrypoint": words}) == [
            "run", "--entrypoint=sh", "img", "-c", "echo hi",
        ]  # fmt: skip
    assert argv.run("img", "echo", {"entrypoint": "/bin/sh"}) == ["run", "--entrypoint=/bin/sh", "img", "echo"]
    assert argv.run("img", "echo", {"entrypoint": ""}) == ["run", "--entrypoint=", "img", "echo"]
    assert argv.run("img", "echo", {"entrypoint": None}) == ["run", "img", "echo"]


def test_moments() -> None:
    naive = datetime.datetime(2026, 1, 2, 3, 4, 5, 500000)
    utc = naive.replace(tzinfo=datetime.UTC)
    for moment in (naive, utc, utc.astimezone(datetime.timezone(datetime.timedelta(hours=2)))):
        assert argv.logs("c", {"since": moment}) == ["logs", "--since=1767323045.500000", "c"]
    assert argv.logs("c", {"since": "10m", "until": 5}) == ["logs", "--since=10m", "--until=5", "c"]


@pytest.mark.parametrize("kind", [k for k, _, _ in argv.TABLES], ids=[k.__name__ for k, _, _ in argv.TABLES])
def test_types_and_tables_agree(kind: Any) -> None:
    table, elsewhere = next((t, e) for k, t, e in argv.TABLES if k is kind)
    assert set(table) | elsewhere == argv.known_names(kind)


@pytest.mark.parametrize(
    "call",
    [
        lambda: argv.run("i", None, {"gpu": "all"}),
        lambda: argv.pull("i", None, {"auth_config": {}}),
        lambda: argv.ps({"alll": True}),
        lambda: argv.images(None, {"foo": 1}),
        lambda: argv.logs("c", {"stdout": True}),
        lambda: argv.exec_("c", "ls", {"cwd": "/"}),
        lambda: argv.rm("c", {"volumes": True}),
        lambda: argv.rmi("i", {"prune": True}),
        lambda: argv.build("-", {"context": "x"}),
        lambda: argv.compose("up", {"wait_for": 1}),
        lambda: argv.compose("down", {"services": ["a"]}),
    ],
)
def test_unknown_arguments_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        call()


@pytest.mark.parametrize("name", ["", "-v", "--privileged", "a\0b", None])
def test_a_name_cannot_be_an_option(name: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: argv.run(name, None, {}),
        lambda: argv.pull(name, None, {}),
        lambda: argv.logs(name, {}),
        lambda: argv.exec_(name, "ls", {}),
        lambda: argv.stop([name], None),
        lambda: argv.rm([name], {}),
        lambda: argv.rmi([name], {}),
        lambda: argv.push(name, None),
        lambda: argv.tag("a", name, None),
        lambda: argv.compose("up", {"services": [name]}),
    ]
    for call in calls:
        with pytest.raises((ValueError, TypeError)):
            call()


@pytest.mark.parametrize(
    "given",
    [
        {"detach": "yes"},
        {"ports": ["80:8080"]},
        {"volumes": {"/a": "/b"}},
        {"volumes": {"/a": {"bind": "/b", "propagation": "x"}}},
        {"cap_add": "NET_ADMIN"},
        {"name": ["a"]},
        {"entrypoint": 1},
        {"ulimits": {"Name": "nofile", "Soft": 1}},
        {"ulimits": [{"Name": "nofile"}]},
        {"ulimits": [{"Soft": 1}]},
        {"dns_search": "a.b"},
        {"restart_policy": "always"},
        {"env": {"A": "1"}, "environment": {"B": "2"}},
        {"network": "a", "network_mode": "host"},
        {"network": "a", "network_disabled": True},
        {"network_mode": "host", "network_disabled": True},
    ],
)
def test_wrong_types_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        argv.run("img", None, given)


def test_the_others() -> None:
    assert argv.pull("nginx", "latest", {"platform": "linux/amd64"}) == [
        "pull",
        "--platform=linux/amd64",
        "nginx:latest",
    ]
    assert argv.pull("r:5000/a", "sha256:" + "0" * 64, {}) == ["pull", "r:5000/a@sha256:" + "0" * 64]
    assert argv.ps({"all": True, "limit": 3, "filters": {"status": ["exited", "running"]}, "since": "x"}) == [
        "ps", "--all", "--last=3", "--filter=status=exited", "--filter=status=running", "--filter=since=x",
    ]  # fmt: skip
    assert argv.images("nginx", {"filters": {"dangling": True}}) == ["images", "--filter=dangling=true", "nginx"]
    assert argv.logs("c", {"follow": True, "tail": 5, "timestamps": True}) == [
        "logs", "--follow", "--tail=5", "--timestamps", "c",
    ]  # fmt: skip
    assert argv.exec_("c", ["ls", "-l"], {"workdir": "/w", "user": "root"}) == [
        "exec", "--workdir=/w", "--user=root", "c", "ls", "-l",
    ]  # fmt: skip
    assert argv.stop(["a", "b"], 3) == ["stop", "-t", "3", "a", "b"]
    assert argv.stop("a", datetime.timedelta(seconds=1.5)) == ["stop", "-t", "2", "a"]
    with pytest.raises(TypeError, match="timeout is a number of seconds"):
        argv.stop("a", "3")  # type: ignore[arg-type]
    assert argv.rm("a", {"force": True, "v": True}) == ["rm", "--force", "--volumes", "a"]
    assert argv.rmi("a", {"force": True}) == ["rmi", "--force", "a"]
    assert argv.push("r/a", "1") == ["push", "r/a:1"]
    assert argv.tag("a", "b", "2") == ["tag", "a", "b:2"]
    assert argv.login("me", "r:5000") == ["login", "--username=me", "--password-stdin", "r:5000"]
    assert argv.build("-", {"tag": "t", "buildargs": {"A": "1"}, "rm": False}) == [
        "build", "--tag=t", "--build-arg=A=1", "--rm=false", "-",
    ]  # fmt: skip
    for given, wanted in (("sub/Dockerfile", "/src/sub/Dockerfile"), ("/else/Dockerfile", "/else/Dockerfile")):
        assert argv.build("/src", {"dockerfile": given}) == ["build", f"--file={wanted}", "/src"]
    assert argv.build("-", {"dockerfile": "sub/Dockerfile"}) == ["build", "--file=sub/Dockerfile", "-"]
    assert argv.compose("up", {"file": ["a.yml", "b.yml"], "project": "p", "detach": True, "services": ["web"]}) == [
        "--file=a.yml", "--file=b.yml", "--project-name=p", "up", "--no-color", "--detach", "web",
    ]  # fmt: skip
    whole: dict[str, Any] = {
        "wait": True,
        "wait_timeout": 9,
        "build": True,
        "scale": {"web": 2},
        "profiles": ["a", "b"],
        "file": Path("c"),
    }
    assert argv.compose("up", whole) == [
        "--file=c", "--profile=a", "--profile=b", "up", "--no-color", "--wait", "--wait-timeout=9", "--build",
        "--scale=web=2",
    ]  # fmt: skip
    assert argv.compose("logs", {"follow": True}) == ["logs", "--no-color", "--follow"]
    config: dict[str, Any] = {"file": "a.yml", "profiles": ["p"], "cwd": "/app", "detach": True}
    assert argv.compose_config(config, old=False) == ["--file=a.yml", "--profile=p", "config", "--format=json"]
    assert argv.compose_config(config, old=True) == ["--file=a.yml", "--profile=p", "config"]
    assert argv.compose("down", {"volumes": True, "timeout": 3}) == ["down", "--volumes", "--timeout=3"]


def test_the_paths_that_a_container_is_to_see(tmp_path: Path) -> None:
    assert paths.of_run({}).binds == set()
    given = {
        "volumes": {"/here": {"bind": "/there"}, "named": {"bind": "/v"}, Path("/as/path"): {"bind": "/p"}},
        "mounts": [
            docker.types.Mount("/t", "/mounted", type="bind"), docker.types.Mount("/t", "data"), "type=tmpfs,target=/t",
        ],
    }  # fmt: skip
    assert paths.of_run(given).binds == {"/here", "/as/path", "/mounted"}
    assert paths.of_run({"volumes": ["/a:/b:ro", "c:/d", "/anonymous"]}).binds == {"/a"}
    # What Docker may be meant to make is told of only where this host has it.
    found = paths.Sources({str(tmp_path), "/there/is/none"}, {"/no/secret"})
    assert found.worth_a_look() == sorted([str(tmp_path), "/no/secret"])
    assert paths.missing("1\n7\nx\n", ["/a", "/b"]) == ["/b"]
    assert "is the host's, and not in the sandbox" in paths.warning(str(tmp_path))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_what_compose_puts_before_each_line(size: int) -> None:
    clear = b"\x1b[2K"
    printed = (
        clear
        + b"a | one\n"
        + clear
        + b"a | \x1b[2K\x1b[31mtwo\x1b[0m\n\n\x1b[3\n"
        + clear
        + b"three"
        + clear
        + b"\n\x1b"
    )
    cleaned, clean = b"", LineStarts()
    for start in range(0, len(printed), size):
        cleaned += clean(printed[start : start + size], False)
    cleaned += clean(b"", True)
    assert cleaned == b"a | one\na | \x1b[2K\x1b[31mtwo\x1b[0m\n\n\x1b[3\nthree" + clear + b"\n\x1b"


COMPOSED = {
    "services": {
        "web": {
            "volumes": [{"type": "bind", "source": "/app/html", "target": "/h"}, {"type": "volume", "source": "v"}]
        },
        "none": {"volumes": None},
    },
    "secrets": {"s": {"name": "p_s", "file": "/app/secret"}, "e": {"environment": "X"}},
    "configs": {"c": {"file": "/app/config"}},
}
#: As docker-compose 1.29.2 prints them.
COMPOSED_OLD = """
secrets:
  s:
    file: /app/secret
services:
  long:
    volumes:
    - read_only: true
      source: /app/long
      target: /h
      type: bind
  web:
    command: "echo file: /not/this"
    volumes:
    - /app/html:/h:rw
    - v:/v:rw
version: '3.7'
volumes:
  v: {}
"""


def test_the_paths_of_a_compose_file() -> None:
    found = paths.of_compose(json.dumps(COMPOSED))
    assert (found.binds, found.files) == ({"/app/html"}, {"/app/secret", "/app/config"})
    found = paths.of_compose(COMPOSED_OLD)
    assert (found.binds, found.files) == ({"/app/html", "/app/long"}, {"/app/secret"})


@pytest.mark.parametrize(
    "said", ["", "null", "[]", "[" * 100_000, '{"services": [1], "secrets": 5}', '{"services": {"a": {"volumes": 7}}}',
             '{"secrets": {"a": {"file": 3}}}', "\0"],
)  # fmt: skip
def test_what_a_hostile_compose_says_of_itself(said: str) -> None:
    found = paths.of_compose(said)
    assert not found.binds and not found.files
