# SPDX-License-Identifier: Apache-2.0
"""The matrix's images: docker-load archives of layers above the busybox that the set-up makes."""

import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path

# vfs_cap_data, revision 2, effective: CAP_NET_BIND_SERVICE.
NET_BIND_SERVICE = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0).decode()


def layer(*entries: tuple) -> bytes:
    """A layer. An entry is (name, contents), with a dict of TarInfo's fields as a third; a name that ends in / is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, contents, *more in entries:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.mode = 0o755
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            for field, value in (more[0] if more else {}).items():
                setattr(info, field, value)
            data = contents if isinstance(contents, bytes) else contents.encode()
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Images:
    """Archives in a directory, each made when it is asked for first."""

    def __init__(self, directory: Path, busybox: Path, peer: Path):
        self.directory, self.busybox, self.peer = directory, busybox, peer
        with tarfile.open(busybox) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.config = json.load(tar.extractfile(manifest["Config"]))
            self.base = tar.extractfile(manifest["Layers"][0]).read()

    def above(self, name: str, *layers: bytes) -> Path:
        path = self.directory / (name.replace(":", "-") + ".tar")
        if path.exists():
            return path
        blobs = [self.base, *layers]
        digests = [hashlib.sha256(blob).hexdigest() for blob in blobs]
        config = dict(self.config)
        config["rootfs"] = {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]}
        config["history"] = [{"created": "1970-01-01T00:00:00Z", "created_by": f"layer {i}"} for i in range(len(blobs))]
        text = json.dumps(config).encode()
        files = {f"{digest}/layer.tar": blob for digest, blob in zip(digests, blobs, strict=True)}
        names = list(files)
        files["config.json"] = text
        files["manifest.json"] = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": names}]).encode()
        new = path.with_suffix(".new")
        with tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as tar:
            for file, data in files.items():
                info = tarfile.TarInfo(file)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        new.rename(path)
        return path

    def peer_image(self) -> Path:
        return self.above("peer:1", layer(("bin/peer", self.peer.read_bytes())))

    def many_layers(self, count: int) -> Path:
        more = [layer((f"layers/{i}", f"{i}\n")) for i in range(1, count)]
        return self.above(f"layers:{count}", *more)

    def tree(self) -> Path:
        """What layers can say of the ones below: whiteouts, links; and what files can have: attributes, capabilities."""
        with tarfile.open(fileobj=io.BytesIO(self.base)) as tar:
            busybox = tar.extractfile("bin/busybox").read()
        attributes = {"SCHILY.xattr.user.note": "from the layer"}
        capable = {"SCHILY.xattr.security.capability": NET_BIND_SERVICE}
        return self.above(
            "tree:1",
            layer(
                ("some/", ""),
                ("some/kept", "kept\n"),
                ("some/gone", "gone\n"),
                ("all/", ""),
                ("all/old", "old\n"),
                ("hard/", ""),
                ("hard/one", "linked\n"),
                ("hard/two", "", {"type": tarfile.LNKTYPE, "linkname": "hard/one"}),
                ("noted", "", {"pax_headers": attributes}),
                ("busybox-capable", busybox, {"pax_headers": capable}),
                ("bin/peer", self.peer.read_bytes()),
                ("peer-setuid", self.peer.read_bytes(), {"mode": 0o4755}),
            ),
            layer(("some/.wh.gone", ""), ("all/.wh..wh..opq", ""), ("all/new", "new\n")),
        )
