# SPDX-License-Identifier: Apache-2.0
"""Compose"""

from box import Box, has, has_not, same, scenario

THREE = """
services:
  db:
    image: peer:1
    hostname: db
    command: sh -c 'sleep 2; cp /etc/hostname /data/ready; exec peer serve 5432'
    volumes: [data:/data]
    networks: [back]
    healthcheck: {test: test -e /data/ready && peer call tcp 127.0.0.1 5432, interval: 1s, timeout: 60s, retries: 60}
  app:
    image: peer:1
    command: sh -c 'peer call tcp db 5432 && exec peer serve 80'
    networks: {back: {}, front: {aliases: [site]}}
    depends_on: {db: {condition: service_healthy}}
    secrets: [token]
    configs: [{source: settings, target: /etc/settings}]
    environment: {MODE: "${MODE:-plain}"}
    ports: ["8080:80"]
  job:
    image: peer:1
    command: peer call tcp site 80
    networks: [front]
    depends_on: {app: {condition: service_started}}
  extra:
    image: peer:1
    profiles: [more]
    command: peer serve 80
networks: {front: {}, back: {internal: true}}
volumes: {data: {}}
secrets: {token: {file: ./token}}
configs: {settings: {file: ./settings}}
"""


def compose(box: Box, words: str, code: int = 0, **options: object) -> str:
    return box.inside(
        f"cd /project && docker compose {words} 2>/tmp/said || {{ code=$?; cat /tmp/said; exit $code; }}",
        code=code,
        **options,
    )


def put(box: Box) -> None:
    box.load("peer:1")
    box.file("/project/compose.yaml", THREE)
    box.file("/project/token", "abc123\n")
    box.file("/project/settings", "a = 1\n")


@scenario(cut=True)
def compose_up(box: Box) -> None:
    """`compose up -d` of three services: depends_on healthy, networks, names and aliases, a published port, secrets, configs"""
    put(box)
    compose(box, "up -d")
    same(sorted(compose(box, "ps -a --format '{{.Service}}'").split()), ["app", "db", "job"])
    same(compose(box, "exec -T app cat /run/secrets/token /etc/settings"), "abc123\na = 1")
    box.until("the job has ended", lambda: "exited" in compose(box, "ps -a job --format '{{.State}}'"))
    has(compose(box, "logs --no-log-prefix job"), ": 1 of 1")
    has(compose(box, "logs --no-log-prefix app"), "db: 1 of 1")
    done = box.host(str(box.work.tools / "peer"), "call", "tcp", box.address, "8080")
    has(done.out, ": 1 of 1")
    compose(box, "down -v -t 1")


@scenario()
def compose_down(box: Box) -> None:
    """`compose down` keeps volumes and `down -v` takes them; a second `up` finds what the first one wrote"""
    put(box)
    compose(box, "up -d db app")
    compose(box, "exec -T db sh -c 'echo kept > /data/file'")
    compose(box, "down -t 1")
    same(box.docker("ps -aq"), "")
    has(box.docker("volume ls -q"), "project_data")
    compose(box, "up -d db")
    same(compose(box, "exec -T db cat /data/file"), "kept")
    compose(box, "down -v -t 1")
    has_not(box.docker("volume ls -q"), "project_data")
    has_not(box.docker("network ls --format {{.Name}}"), "project_")


@scenario()
def compose_more(box: Box) -> None:
    """Compose: profiles, `run`, `exec`, `--scale`, variables, `build`, `config`"""
    put(box)
    compose(box, "--profile more up -d extra")
    same(compose(box, "ps --format '{{.Service}}'"), "extra")
    has(
        compose(box, "up -d --scale extra=3 --no-recreate extra && docker compose ps -q extra | wc -l"),
        "3",
    )
    box.inside("cd /project && MODE=loud docker compose run --rm --no-deps -T app sh -c 'test $MODE = loud'")
    compose(box, "run --rm --no-deps -T app sh -c 'exit 7'", code=7)
    compose(box, "--profile more down -v -t 1")
    box.file("/building/compose.yaml", "services: {made: {build: ., command: cat /made}}\n")
    box.file("/building/Dockerfile", "FROM busybox\nRUN echo by compose > /made\n")
    has(
        box.inside(
            "cd /building && docker compose build >/tmp/said 2>&1 || cat /tmp/said; docker compose run --rm -T made",
        ),
        "by compose",
    )
