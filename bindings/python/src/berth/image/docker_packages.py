"""How Docker comes into an image: by the packages of its own distribution.

Docker's own packages are used where the image's package sources offer them already (docker-ce), else the
distribution's.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ImageError

_DEBIAN = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
if apt-cache policy docker-ce 2>/dev/null | grep -q 'Candidate: [0-9]'; then
  packages='docker-ce docker-ce-cli containerd.io'
else
  packages='docker.io'
  # Newer releases split the client off.
  if apt-cache policy docker-cli 2>/dev/null | grep -q 'Candidate: [0-9]'; then packages="$packages docker-cli"; fi
fi
# Compose, under the first name that this release knows.
for compose in docker-compose-plugin docker-compose-v2 docker-compose; do
  if apt-cache policy $compose 2>/dev/null | grep -q 'Candidate: [0-9]'; then packages="$packages $compose"; break; fi
done
# policy-rc.d: no service is started here; berth starts dockerd.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get -q install -y --no-install-recommends $packages iptables iproute2 ca-certificates
rm -f /usr/sbin/policy-rc.d
# The sandbox has no nf_tables; names on Docker's user networks need the legacy variant.
for tool in iptables ip6tables; do
  if [ -e /usr/sbin/$tool-legacy ]; then update-alternatives --set $tool /usr/sbin/$tool-legacy; fi
done
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
"""

# Others are refused rather than guessed at: what is here was run.
_BY_ID = {"debian": _DEBIAN, "ubuntu": _DEBIAN}


def os_release(rootfs: str) -> dict[str, str]:
    for name in ("etc/os-release", "usr/lib/os-release"):
        path = Path(rootfs) / name
        # A link may lead out of the root file system; both places are looked at as plain files only.
        if path.is_symlink() or not path.is_file():
            continue
        fields = {}
        for line in path.read_text(errors="replace").splitlines():
            key, sign, value = line.partition("=")
            if sign and not key.startswith("#"):
                fields[key.strip()] = value.strip().strip("\"'")
        return fields
    return {}


def has_docker(rootfs: str) -> bool:
    return any((Path(rootfs) / p / "dockerd").is_file() for p in ("usr/bin", "usr/sbin", "usr/local/bin", "bin"))


def install_script(rootfs: str) -> str:
    """The shell script that installs Docker in this root file system. ImageError where no way is known."""
    release = os_release(rootfs)
    for name in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if name in _BY_ID:
            return _BY_ID[name]
    known = release.get("PRETTY_NAME") or release.get("ID") or "an unknown system (no os-release)"
    raise ImageError(
        f"with_docker() does not know how to install Docker on {known}",
        hint="use an image of Debian or Ubuntu, or install Docker with run_commands()",
    )
