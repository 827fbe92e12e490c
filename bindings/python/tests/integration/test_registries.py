# SPDX-License-Identifier: Apache-2.0
"""What Docker in a sandbox is told of registries, on real ones: Debian's docker-registry with TLS and passwords, and
as a pull-through cache on this host."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import berth
import pytest
import registry as registry_module
from registry import PASSWORD, USER

SECRET = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def _logins(path: Path, *registries: str) -> Path:
    path.write_text(json.dumps({"auths": {name: {"auth": SECRET} for name in registries}}))
    return path


def _helper(directory: Path, name: str, script: str) -> None:
    program = directory / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def _told_on_the_host(sandbox: berth.Sandbox, machine: Path) -> str:
    """What this host shows of a sandbox, and keeps of it in files of berth's and runsc's own."""
    texts = [json.dumps(sandbox.status()), subprocess.run(["ps", "axeww"], capture_output=True, text=True).stdout]
    directory = machine / sandbox.id
    kept = [directory / "record.json", directory / "run.json"]
    for part in ("bundle", "logs", "shared"):
        kept += [path for path in (directory / part).rglob("*") if path.is_file()]
    assert len(kept) > 5, kept
    texts += [path.read_bytes().decode(errors="replace") for path in kept]
    return "\n".join(texts)


def test_a_registry_with_tls_and_passwords(machine: Path, rootfs: str, tmp_path: Path, registry_images: Path) -> None:
    with registry_module.serving(registry_images, closed=True, authority=tmp_path) as url:
        address = url.removeprefix("https://")
        image = f"{address}/library/ubuntu:22.04"
        logins = _logins(tmp_path / "config.json", f"https://{address}/v2/", "other.example")
        certificate = {address: tmp_path / "ca.crt"}
        with berth.Sandbox(rootfs=rootfs, docker_enabled=True) as sandbox:
            with pytest.raises(berth.DockerCommandError, match="certificate"):
                sandbox.docker.pull(image).check()
        with berth.Sandbox(rootfs=rootfs, docker_enabled=True, registry_ca=certificate) as sandbox:
            with pytest.raises(berth.DockerCommandError, match="no basic auth credentials"):
                sandbox.docker.pull(image).check()
        with contextlib.ExitStack() as stack:
            sandbox = stack.enter_context(
                berth.Sandbox(
                    rootfs=rootfs,
                    docker_enabled=True,
                    registry_ca=certificate,
                    registry_auth=[address],
                    registry_auth_file=logins,
                )
            )
            sandbox.docker.pull(image).check()
            kept = json.loads(sandbox.fs.read_text("/root/.docker/config.json"))
            assert kept == {"auths": {address: {"auth": SECRET}}}, "and nothing of other.example"
            assert sandbox.fs.stat("/root/.docker/config.json").mode & 0o777 == 0o600
            assert SECRET not in _told_on_the_host(sandbox, machine)
            # docker login goes on to work beside it.
            assert "Login Succeeded" in sandbox.docker.login(USER, PASSWORD, registry=address).output()
            sandbox.docker.rmi([image]).check()
            # A copy has both, and what was written down of the snapshot neither.
            snapshot = sandbox.snapshot("with-logins")
            stack.callback(berth.remove_snapshot, snapshot.name)
            copy = stack.enter_context(berth.Sandbox(snapshot="with-logins", wait_for_docker=True))
            copy.docker.pull(image).check()
            for path in (machine / ".snapshots").rglob("*.json"):
                assert SECRET not in path.read_text(errors="replace"), path


def test_credentials_that_a_program_keeps(
    machine: Path,
    rootfs: str,
    name: str,
    tmp_path: Path,
    registry_images: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "berth")
    keeper = tmp_path / "keeper"
    keeper.mkdir()
    monkeypatch.setenv("PATH", str(keeper), prepend=os.pathsep)
    monkeypatch.setenv("KEEPER", str(keeper))
    with registry_module.serving(registry_images, closed=True, authority=tmp_path) as url:
        address = url.removeprefix("https://")
        image = f"{address}/library/ubuntu:22.04"
        (keeper / address).write_text(json.dumps({"ServerURL": address, "Username": USER, "Secret": PASSWORD}))
        _helper(keeper, "tests", 'exec cat "$KEEPER/$(cat)"')
        for config in ({"credHelpers": {address: "tests"}, "credsStore": "absent"}, {"credsStore": "tests"}):
            (tmp_path / "config.json").write_text(json.dumps(config))
            if "credHelpers" in config:
                monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
                sandbox = berth.Sandbox(
                    rootfs=rootfs,
                    docker_enabled=True,
                    registry_ca={address: tmp_path / "ca.crt"},
                    registry_auth=[address],
                )
                said = ""
            else:
                words = [sys.executable, "-m", "berth", "run", "-v", "-d", "--docker", "--id", name]
                words += ["--rootfs", rootfs, "--registry-ca", f"{address}={tmp_path / 'ca.crt'}"]
                words += ["--registry-auth", address, "--registry-auth-file", str(tmp_path / "config.json")]
                ran = subprocess.run(words, capture_output=True, text=True, timeout=120)
                said = ran.stdout + ran.stderr
                assert ran.returncode == 0, said
                sandbox = berth.Sandbox.connect(name)
            with sandbox:
                sandbox.docker.pull(image).check()
                kept = json.loads(sandbox.fs.read_text("/root/.docker/config.json"))
                assert kept == {"auths": {address: {"auth": SECRET}}}
                said += _told_on_the_host(sandbox, machine) + caplog.text
                assert SECRET not in said and PASSWORD not in said


def test_credentials_that_cannot_go_in_are_told(
    machine: Path, rootfs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    _helper(tmp_path, "none", "echo credentials not found in native keychain; exit 1")
    _helper(tmp_path, "locked", f"echo the keychain is locked; echo {PASSWORD} >&2; exit 1")
    _helper(tmp_path, "broken", f"echo {PASSWORD}")
    before = [s.id for s in berth.Sandbox.list()]
    for store, code, why in (
        ("desktop", "not_found", "docker-credential-desktop, which is in no directory of PATH"),
        ("none", "not_found", "docker-credential-none has no credentials for r.example"),
        ("locked", "io", "docker-credential-locked .* exit code 1: the keychain is locked"),
        ("broken", "invalid", "docker-credential-broken printed something else"),
        ("../none", "invalid", "a name that cannot be one"),
    ):
        file.write_text(json.dumps({"auths": {"r.example": {"auth": SECRET}}, "credsStore": store}))
        with pytest.raises(berth.BerthError, match=why) as e:
            berth.Sandbox(
                rootfs=rootfs, docker_enabled=True, registry_auth=["r.example"], registry_auth_file=file
            ).create()
        assert e.value.code_name == code
        assert PASSWORD not in str(e.value) and SECRET not in str(e.value)
    with pytest.raises(berth.BerthError, match="no certificate is in the file"):
        berth.Sandbox(rootfs=rootfs, docker_enabled=True, registry_ca={"r.example": file}).create()
    assert [s.id for s in berth.Sandbox.list()] == before


def test_one_cache_for_many(machine: Path, rootfs: str, registry_images: Path) -> None:
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(contextlib.ExitStack())
        behind = upstream.enter_context(registry_module.serving(registry_images))
        cache = stack.enter_context(registry_module.caching(behind))
        address = cache.removeprefix("http://")
        # The cache is all that they reach.
        for first in (True, False):
            with berth.Sandbox(
                rootfs=rootfs, docker_enabled=True, registry_mirror=cache, host_ports=[address], egress="none"
            ) as sandbox:
                sandbox.docker.pull("ubuntu:22.04").check()
                said = sandbox.docker.run("ubuntu:22.04", ["echo", "from the cache"], remove=True)
                assert said.output().strip() == "from the cache"
                assert sandbox.status()["network"]["host_ports"] == [address]
            if first:
                upstream.close()
        with berth.Sandbox(rootfs=rootfs, docker_enabled=True, registry_mirror=cache, egress="none") as sandbox:
            assert not sandbox.docker.pull("ubuntu:22.04").success, "without that port the host is not reached"
