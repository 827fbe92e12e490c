# SPDX-License-Identifier: Apache-2.0
# Debian packages: asks apt for what is missing, and touches nothing when nothing is.
# shellcheck shell=bash

setup_packages() {
  local wanted=("${packages_build[@]}" "${packages_run[@]}" "${packages_test[@]}") missing=() name
  command -v dpkg-query >/dev/null || die "this set-up knows Debian only; install by hand what scripts/versions.sh lists"
  for name in "${wanted[@]}"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) != installed ]]; then
      missing+=("$name")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  ((EUID == 0)) || die "packages are missing: ${missing[*]}. Run scripts/setup packages as root"
  # Lists of other people's sources may be out of reach; the install below tells whether it mattered.
  quietly "refreshing the package lists" apt-get -o DPkg::Lock::Timeout=600 update || true
  quietly "installing ${#missing[@]} packages" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}"
}

# apt_mirror SUITE: the URI under which this machine gets that suite's main component, or that of its Debian mirror.
apt_mirror() {
  local targets suite
  targets=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(CREATED_BY) $(SITE)' 2>/dev/null |
    awk '$2 == "main" && $3 == "Packages" { print $1, $4 }')
  for suite in "$1" bookworm stable oldstable; do
    awk -v suite="$suite" '$1 == suite { print $2; exit }' <<<"$targets"
  done | head -n 1
}

# apt_keyring URI: the keyring that this machine's sources name for that mirror, if any.
apt_keyring() {
  python3 - "${1%/}" <<'PYTHON'
import glob, re, sys
mirror = sys.argv[1]
def keyring(path):
    return path if path.startswith("/") else None
for name in glob.glob("/etc/apt/sources.list.d/*.sources"):
    for stanza in re.split(r"\n\s*\n", open(name).read()):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.M))
        if mirror in [u.rstrip("/") for u in fields.get("URIs", "").split()] and keyring(fields.get("Signed-By", "")):
            sys.exit(print(fields["Signed-By"]))
for name in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*.list")]:
    try:
        lines = open(name).read().splitlines()
    except FileNotFoundError:
        continue
    for line in lines:
        m = re.match(r"deb\s+\[(.*?)\]\s+(\S+)", line)
        s = re.search(r"signed-by=(/\S+)", m.group(1)) if m else None
        if s and m.group(2).rstrip("/") == mirror:
            sys.exit(print(s.group(1)))
PYTHON
}
