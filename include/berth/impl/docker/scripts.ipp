// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/plan.hpp>

namespace berth {

// Parameters: device, address, mtu, snat (0/1), data root, berth's guest program or nothing, `unmask` or nothing, the runc
// wrapper's text or nothing, the network script, dockerd, then dockerd's arguments.
// BERTH_START_NONCE: what its lines bear, so that nobody else's on the same stream are taken for them.
// BERTH_LOST_DOCKERD: the pid of a dockerd of ours that runs on though what ran it on the host was killed: ended first.
// A containerd that outlived its dockerd is ended: a new dockerd would adopt it by its pid file, and in gVisor it no longer
// accepts connections once the streams that its dockerd was given are gone (seen on 20260701.0: "timeout waiting for
// containerd to start" after 15 s).
// Bridges of an earlier dockerd are removed too, and it makes them anew: gVisor does not tell it that they are bridges, and
// it would end with "existing interface docker0 is not a bridge". For the same reason its record of the default bridge
// must not bring docker0 back before the new default bridge is made: under another name of the same length, dockerd skips
// that record with a warning (a default bridge is only ever made as docker0), and keeps all other networks.
// One script for all steps, since a command in a sandbox costs some 33 ms, and with builtins of the shell wherever there is
// nothing to do, since a program that the script runs costs some 5 ms of it. Forwarding and SNAT are set up beside
// dockerd's own start, which takes many times as long; the subshell is forked twice, so that dockerd, which this shell
// becomes, never sees a child that it did not start.
BERTH_DECL std::string_view docker_start_script() noexcept {
  return R"sh(set -u
dev=$1 addr=$2 mtu=$3 snat=$4 root=$5 guest=$6 unmask=$7
shift 7
wrapper=$1 network=$2 dockerd=$3
shift 3
lost=${BERTH_LOST_DOCKERD:-} nonce=${BERTH_START_NONCE:-}
unset BERTH_LOST_DOCKERD BERTH_START_NONCE
dir=/run/berth-docker
nl='
'
say() { printf 'berth:%s:%s\n' "$nonce" "$*"; }
fail() { say "failed $*"; exit 126; }
# In $found, without the subshell that $(command -v …) costs.
find() {
  found=
  case $1 in */*) [ -x "$1" ] && found=$1; return ;; esac
  IFS=:
  for at in $PATH; do
    [ -f "$at/$1" ] && [ -x "$at/$1" ] && { found=$at/$1; break; }
  done
  IFS=$ifs
}
ifs=$IFS
find "$dockerd"
[ -n "$found" ] || { say missing; exit 127; }
# Newer dockerds get ready without it, and then no container runs. A program that is not dockerd may mount it itself.
cgroups=
while read -r name at type options rest; do
  case $type:,$options, in cgroup:*,devices,*|cgroup2:*) cgroups=1 ;; esac
done < /proc/mounts
case $cgroups:${dockerd##*/} in :dockerd) fail "no cgroup file system with the devices controller is mounted" ;; esac
{ [ -d /run ] && [ -d /var/run ]; } || { mkdir -p /run && mkdir -p /var/run; } 2>/dev/null || fail "cannot make /var/run"

for file in /run/docker*.pid /var/run/docker*.pid /run/docker/containerd/containerd.pid; do
  [ -f "$file" ] || continue
  pid= comm=
  read -r pid < "$file" || :
  case $pid in ''|*[!0-9]*) ;; *) read -r comm 2>/dev/null < "/proc/$pid/comm" || : ;; esac
  case $file:$comm in
    */docker*.pid:dockerd)
      [ "$pid" = "$lost" ] || { say "running $pid"; exit 125; }
      kill -9 "$pid"
      for at in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -e "/proc/$pid/exe" ] || break
        sleep 0.1
      done
      rm -f "$file" && say "stale dockerd $pid" ;;
    */containerd.pid:containerd) kill -9 "$pid" && rm -f "$file" && say "stale $file" ;;
    *) rm -f "$file" && say "stale $file" ;;
  esac
done
for file in /run/docker/containerd/containerd*.sock*; do
  [ -e "$file" ] && rm -f "$file"
done
bridge= outside=
while read -r name rest; do
  case $name in
    docker0:*) bridge=1 ;;
    lo:*|br-????????????:*|veth*) ;;
    *:*) outside="$outside${outside:+ }${name%%:*}" ;;
  esac
done < /proc/net/dev
if [ -n "$bridge" ]; then
  ip -o link show 2>/dev/null | while IFS=': ' read -r number name rest; do
    case $name in
      docker0|br-????????????) ip link del "$name" 2>/dev/null && say "stale $name" || say "warning cannot remove $name" ;;
    esac
  done
fi
nets=$root/network/files/local-kv.db
if [ -f "$nets" ] && grep -q '"BridgeName":"docker0"' "$nets"; then
  LC_ALL=C sed 's/"BridgeName":"docker0"/"BridgeName":"berth-0"/g' "$nets" > "$nets.berth" &&
    [ "$(wc -c < "$nets.berth")" = "$(wc -c < "$nets")" ] && mv "$nets.berth" "$nets" && say "stale docker0 in $nets" ||
    { rm -f "$nets.berth" "$nets" && say "warning networks of an earlier dockerd are forgotten"; }
fi

if [ -z "$dev" ]; then
  while read -r name dest rest; do
    [ "$dest" = 00000000 ] && { dev=$name; break; }
  done < /proc/net/route
fi
set -f
last=
if [ -n "$dev" ] && [ -z "$addr" ]; then
  for word in $(ip -o -4 addr show dev "$dev" 2>/dev/null); do
    [ "$last" = inet ] && { addr=${word%%/*}; break; }
    last=$word
  done
fi
if [ -n "$dev" ] && [ -z "$mtu" ]; then
  for word in $(ip -o link show dev "$dev" 2>/dev/null); do
    [ "$last" = mtu ] && { mtu=$word; break; }
    last=$word
  done
fi
set +f
case $mtu in
  given) ;;
  ''|*[!0-9]*) [ "$snat" = 0 ] || say "warning the MTU of the uplink is not known; downloads may be slow" ;;
  *) set -- "--mtu=$mtu" "$@" ;;
esac

find iptables-legacy
legacy=$found
[ -z "$legacy" ] && [ -x /usr/local/sbin/.iptables-legacy/iptables ] && legacy=/usr/local/sbin/.iptables-legacy/iptables
if [ -n "$legacy" ]; then
  # Nothing to do where the image's own alternatives lead there already.
  find iptables
  if ! [ "$found" -ef "$legacy" ]; then
    mkdir -p "$dir/bin" && ln -sf "$legacy" "$dir/bin/iptables" || fail "cannot write $dir"
    find ip6tables-legacy
    [ -n "$found" ] && ln -sf "$found" "$dir/bin/ip6tables"
  fi
else
  say "warning no iptables-legacy: no way out for nested containers, and no names on user networks"
fi

network() {
  way=$snat
  if [ "$way" = 1 ]; then
    echo 1 2>/dev/null > /proc/sys/net/ipv4/ip_forward || say "warning cannot set net.ipv4.ip_forward"
    [ -n "$dev" ] && [ -n "$addr" ] || { say "warning no default route, so no way out for nested containers"; way=0; }
  fi
  [ -n "$legacy" ] || { [ "$snat" = 1 ] || say network; return; }
  mkdir -p "$dir" && printf '%s\n' "$network" > "$dir/network" || { say "warning cannot write $dir/network"; return; }
  # For whoever sets the network up again, as in a sandbox that was restored.
  printf '%s\n' "$legacy" "$way" "$dev" "$addr" "$outside" "$nets" "$$" > "$dir/network.args"
  said=$(sh "$dir/network" rules "$legacy" "$way" "$dev" "$addr" "$outside")
  if [ -n "$said" ]; then say "${said%%"$nl"*}"; elif [ "$way" = "$snat" ]; then say network; fi
  [ "$way" = 0 ] || exec sh "$dir/network" watch "$legacy" "$addr" "$outside" "$nets" "$$" >/dev/null 2>&1
}
( network </dev/null & )

# What stands before runc stands there under its name, first in PATH: dockerd, containerd's shim and BuildKit all look there,
# and no container keeps another runtime's name.
find runc
[ -n "$found" ] || say "warning no runc on PATH: nothing is put before it"
if [ -n "$guest" ] && [ -x "$guest" ]; then
  "$guest" prepare "$found" "$unmask" || fail "cannot put the nested runtime in place"
else
  # Without the guest: dockerd refuses -v /:/host:rslave where / is not shared, and runc makes a keyring for each container,
  # which gVisor never frees.
  mount --make-rshared / 2>/dev/null || :
  [ -w /proc/sys/kernel/keys/maxkeys ] && echo 2147483647 2>/dev/null > /proc/sys/kernel/keys/maxkeys || :
  if [ -n "$found" ] && [ -n "$wrapper" ]; then
    mkdir -p "$dir/bin" && ln -sf "$found" "$dir/runc" && printf '%s\n' "$wrapper" > "$dir/bin/runc.new" &&
      chmod 755 "$dir/bin/runc.new" && mv -f "$dir/bin/runc.new" "$dir/bin/runc" || fail "cannot write $dir/bin/runc"
  fi
fi
PATH=$dir/bin:$PATH
export PATH
say "pid $$"
exec "$dockerd" "$@"
)sh";
}

// runc keeps the masked *files*; only directories are masked by a tmpfs, and those of this list are the ones that Docker
// names. In gVisor they are absent or hold nothing of the host's. Docker writes config.json on one line, and a key in
// it is told from a string that only looks like one by its unescaped quotes.
BERTH_DECL std::string_view runc_wrapper_script() noexcept {
  return R"sh(#!/bin/sh
bundle=. next= verb=
for arg; do
  case $next in bundle) bundle=$arg next=; continue ;; skip) next=; continue ;; esac
  case $arg in
    --bundle|-b) next=bundle ;;
    --bundle=*) bundle=${arg#--bundle=} ;;
    --root|--log|--log-format|--criu|--rootless|--pid-file|--console-socket|--preserve-fds) next=skip ;;
    -*) ;;
    *) [ -n "$verb" ] || verb=$arg ;;
  esac
done
config=$bundle/config.json
case $verb in
  create|run)
    if [ -f "$config" ]; then
      sed -e ':again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/proc/acpi",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/proc/asound",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/proc/scsi",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/sys/firmware",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/sys/devices/virtual/powercap",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\)"/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle",\{0,1\}#\1#;t again' \
        -e 's#\("maskedPaths":\[[^]]*\),\]#\1]#' "$config" > "$config.berth" &&
        cat "$config.berth" > "$config" && rm -f "$config.berth" || exit 1
    fi ;;
esac
exec /run/berth-docker/runc "$@"
)sh";
}

}  // namespace berth
