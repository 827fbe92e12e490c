# SPDX-License-Identifier: Apache-2.0
"""Images from registries: skopeo fetches, umoci unpacks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ImageError, InvalidError
from ..progress import progress
from ..rootfs import Built, default_mirror
from ._causes import CAUSES
from .reference import DEFAULT_REGISTRY, Reference
from .store import Store, content_key
from .tools import run_tool


@dataclass(frozen=True)
class RegistryOptions:
    """Where images come from.

    mirror: a registry asked in place of docker.io, ``http://host:port`` or ``host:port`` (https).
    auth_file: credentials in the form of ``docker login``; None: the usual places (``$REGISTRY_AUTH_FILE``,
    ``~/.docker/config.json``).
    """

    mirror: str | None = None
    auth_file: str | None = None

    @classmethod
    def from_environment(cls) -> RegistryOptions:
        return cls(default_mirror(), os.environ.get("REGISTRY_AUTH_FILE") or None)


def _source(reference: Reference, options: RegistryOptions) -> tuple[str, list[str]]:
    registry, tls = reference.registry, []
    if options.mirror and registry == DEFAULT_REGISTRY:
        registry = options.mirror
    if registry.startswith("http://"):
        registry, tls = registry.removeprefix("http://"), ["--tls-verify=false"]
    registry = registry.removeprefix("https://").rstrip("/")
    if "@" in registry:
        raise ImageError(
            "credentials in the name of a registry are read by every user of this machine, in the list of processes",
            hint="give them by auth_file= or $REGISTRY_AUTH_FILE, as `skopeo login` or `docker login` writes it",
        )
    auth = [f"--authfile={options.auth_file}"] if options.auth_file else []
    return reference.at(registry), tls + auth


def _patience() -> float:
    """For how many seconds a registry may send nothing."""
    given = os.environ.get("BERTH_REGISTRY_TIMEOUT") or "60"
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 86400:
        raise InvalidError(f"not a number of seconds from 1 to 86400: {given!r}", path="BERTH_REGISTRY_TIMEOUT")
    return float(given)


def _explain(words: str) -> tuple[str, str]:
    small = words.lower()
    for signs, cause, hint in CAUSES:
        if at := [small.index(sign) for sign in signs if sign in small]:
            # From there on it is the innermost of what one part of skopeo says of another.
            return f"{cause} ({words[min(at) :].splitlines()[0][:200].strip()})", hint
    return "", ""


def _digest(reference: Reference, options: RegistryOptions, store: Store, pull: str) -> str:
    if reference.digest:
        return reference.digest
    name = f"{reference}|{options.mirror or ''}"
    if pull == "missing" and (known := store.known_digest(name)):
        return known
    source, flags = _source(reference, options)
    inspect = ["skopeo", "inspect", *flags, "--format={{.Digest}}", source]
    digest = run_tool(inspect, f"cannot find {reference}", _explain, patience=_patience()).strip()
    store.remember_digest(name, digest)
    return digest


def fetch(name: str, options: RegistryOptions, store: Store, pull: str) -> Built:
    """The root file system of an image, fetched when the cache lacks it.

    pull: "missing" asks the registry only for what was never fetched; "always" asks what the tag stands for now."""
    reference = Reference.parse(name)
    digest = _digest(reference, options, store, pull)
    key = content_key("registry", digest)
    if found := store.find(key):
        return found
    with store.lock(key):
        if found := store.find(key):
            return found
        with progress(f"Pulling {name}...", "Image pulled successfully!") as at:
            return _unpack(reference, digest, key, options, store, at)


def _unpack(
    reference: Reference, digest: str, key: str, options: RegistryOptions, store: Store, at: Callable[[str], None]
) -> Built:
    pinned = Reference(reference.registry, reference.repository, reference.tag, digest)
    source, flags = _source(pinned, options)
    with store.building(key) as made:
        layout = f"{made}/oci"
        copy_flags = [f.replace("--tls-verify", "--src-tls-verify") for f in flags]
        run_tool(
            ["skopeo", "copy", *copy_flags, source, f"oci:{layout}:image"], f"cannot fetch {reference}", _explain, at,
            growing=layout, patience=_patience(),
        )  # fmt: skip
        at("unpacking")
        run_tool(["umoci", "unpack", f"--image={layout}:image", f"{made}/bundle"], f"cannot unpack {reference}")
        config = _image_config(Path(layout))
        Path(f"{made}/bundle/rootfs").rename(made / "rootfs")
        shutil.rmtree(layout)
        shutil.rmtree(f"{made}/bundle")
        env, workdir = config.get("Env") or [], config.get("WorkingDir") or "/"
        if not isinstance(env, list) or not all(isinstance(word, str) for word in [*env, workdir]):
            raise ImageError("the image's configuration is not what it must be", path=str(reference))
        return store.publish(made, Built(key, "", dict(pair.partition("=")[::2] for pair in env), workdir))


def _image_config(layout: Path) -> dict[str, Any]:
    def blob(digest: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
        return loaded

    index = json.loads((layout / "index.json").read_text())
    manifest = blob(index["manifests"][0]["digest"])
    return dict(blob(manifest["config"]["digest"]).get("config") or {})
