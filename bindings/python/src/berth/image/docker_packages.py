# SPDX-License-Identifier: Apache-2.0
"""How Docker comes into an image: by the packages of its own distribution.

Docker's own packages are used where the image's package sources offer them already (docker-ce), else the
distribution's. Compose v2 and buildx come with it; Debian 12 has neither, and takes those of Debian 13, which ask for
nothing but a C library that it has.
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
# Under the first name that this release knows. A docker-compose of 1.x is Python's of before, with another file format.
offered() {
  for name; do
    case $(apt-cache policy "$name" 2>/dev/null | sed -n 's/^  Candidate: //p') in
      '' | '(none)' | 1.*) ;;
      *) echo "$name"; return ;;
    esac
  done
}
compose=$(offered docker-compose-plugin docker-compose-v2 docker-compose)
buildx=$(offered docker-buildx-plugin docker-buildx)
packages="$packages $compose $buildx"
# policy-rc.d: no service is started here; berth starts dockerd.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get -q install -y --no-install-recommends $packages iptables iproute2 ca-certificates
newer=
[ -n "$compose" ] || newer="docker-compose"
[ -n "$buildx" ] || newer="$newer docker-buildx"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
if [ -n "$newer" ] && [ -f $keys ] && grep -q '^ID=debian' /etc/os-release; then
  # From the mirror that this image has, without a trace in its sources.
  mirror=$(apt-get indextargets --format '$(COMPONENT) $(CREATED_BY) $(SITE)' |
    while read -r part kind site; do
      case "$part $kind $site" in *-security*) ;; 'main Packages '*) echo "$site"; break ;; esac
    done)
  at=$(mktemp -d)
  mkdir -p $at/lists/partial $at/archives/partial
  echo "deb [signed-by=$keys] $mirror @NEWER@ main" >$at/sources.list
  from="-o Dir::Etc::SourceList=$at/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$at/lists
    -o Dir::Cache=$at -o APT::Sandbox::User=root"
  # An older system has too old a C library for them. Docker is there all the same.
  (cd $at && apt-get -q $from update && apt-get -q $from download $newer) &&
    apt-get -q install -y --no-install-recommends $at/*.deb || echo "no $newer for this system"
  rm -rf $at
fi
rm -f /usr/sbin/policy-rc.d
# The sandbox has no nf_tables; names on Docker's user networks need the legacy variant.
for tool in iptables ip6tables; do
  if [ -e /usr/sbin/$tool-legacy ]; then update-alternatives --set $tool /usr/sbin/$tool-legacy; fi
done
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
"""

#: Where Debian 12's compose and buildx come from.
_NEWER = "trixie"
_DEBIAN = _DEBIAN.replace("@NEWER@", _NEWER)

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


#: Where docker looks for its plugins, of those that all users share.
_PLUGINS = ("usr/local/lib", "usr/local/libexec", "usr/lib", "usr/libexec")


def lacking(rootfs: str) -> list[str]:
    """What of Docker's usual plugins is not there."""
    return [
        name
        for name in ("compose", "buildx")
        if not any((Path(rootfs) / p / "docker/cli-plugins" / f"docker-{name}").is_file() for p in _PLUGINS)
    ]


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
