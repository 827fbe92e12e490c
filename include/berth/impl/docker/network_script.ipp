// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/plan.hpp>

namespace berth {

// gVisor's network stack (as of 20260701.0) needs more than forwarding and SNAT:
// - A bridge hands each frame between two containers to the sandbox's own stack as well, which forwards it once more: pings
//   are answered three times, and a few connections in a hundred are reset. So nothing is forwarded but from or to a link
//   that is not Docker's; bridges are kept apart from each other by the same rule, and a container on two of them needs no
//   forwarding.
// - An answer goes out under an address of the link that the question came in by, or not at all. So each bridge has the
//   sandbox's own address too, beside its own; a server of UDP that listens on all addresses answers under the first one,
//   hence the DNAT.
// - With --iptables=false dockerd keeps an internal network apart by leaving its containers without a default route, from
//   26 on; before, not at all. Its bridges are told from others by dockerd's own record only.
// The last two need somebody who follows the bridges: a subshell that `ip monitor` wakes up, and that ends with dockerd.
BERTH_DECL std::string_view docker_network_script() noexcept {
  return R"sh(# rules IPTABLES SNAT DEVICE ADDRESS OUTSIDE: loads the rules; prints "warning …" or nothing. OUTSIDE: all links but Docker's own.
# watch IPTABLES ADDRESS OUTSIDE NETWORKS PID: follows the bridges that come and go, as long as there is a process PID.
set -u
verb=$1 tool=$2
shift 2
nl='
'

rules() {
  snat=$1 device=$2 address=$3 outside=$4
  filter= nat=
  for link in $outside; do
    filter="$filter-A BERTH-FORWARD -i $link -j RETURN$nl-A BERTH-FORWARD -o $link -j RETURN$nl"
  done
  filter="$filter-A BERTH-FORWARD -j DROP"
  if [ "$snat" = 1 ]; then
    for protocol in tcp udp; do
      nat="$nat-A BERTH-SNAT -o $device -p $protocol -j SNAT --to-source $address$nl"
    done
  fi
  # Each chain is our own. Where they are not there yet, one call makes them all: -N fails it where they are, and then
  # what they hold is replaced.
  "$tool-restore" --noflush 2>/dev/null <<NEW && return
*filter
-N BERTH-FORWARD
-A FORWARD -j BERTH-FORWARD
$filter
COMMIT
*nat
-N BERTH-SNAT
-A POSTROUTING -j BERTH-SNAT
-N BERTH-OWN
-A PREROUTING -j BERTH-OWN
$nat
COMMIT
NEW
  out=$("$tool-restore" --noflush 2>&1 <<AGAIN
*filter
:BERTH-FORWARD - [0:0]
$filter
COMMIT
*nat
:BERTH-SNAT - [0:0]
:BERTH-OWN - [0:0]
$nat
COMMIT
AGAIN
  ) || { echo "warning iptables: ${out%%"$nl"*}"; return; }
  jump filter FORWARD BERTH-FORWARD
  jump nat POSTROUTING BERTH-SNAT
  jump nat PREROUTING BERTH-OWN
}
jump() {
  "$tool" -t "$1" -C "$2" -j "$3" 2>/dev/null || out=$("$tool" -t "$1" -A "$2" -j "$3" 2>&1) ||
    echo "warning iptables: ${out%%"$nl"*}"
}

# What Docker's own record of its networks has of a bridge, by a pattern behind its name.
recorded() { LC_ALL=C grep -q "\"BridgeName\":\"$1\"${2:-}" "$networks" 2>/dev/null; }

# The IPv4 address of a link, in $gateway.
find_gateway() {
  gateway= last=
  for word in $(ip -o -4 addr show dev "$1" 2>/dev/null); do
    [ "$last" = inet ] && { gateway=${word%%/*}; return; }
    last=$word
  done
}

settle() {
  # Docker makes the link first, then gives it its address, then writes its record.
  tries=0
  while :; do
    gateway=
    recorded "$1" && find_gateway "$1"
    [ -z "$gateway" ] || break
    case $waited in *" $1 "*) return 1 ;; esac
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || { waited="$waited$1 "; return 1; }
    sleep 0.1
  done
  if recorded "$1" '[^{}]*"Internal":true'; then
    for way in -i -o; do
      "$tool" -C BERTH-FORWARD "$way" "$1" -j DROP 2>/dev/null || "$tool" -I BERTH-FORWARD "$way" "$1" -j DROP
    done
  elif [ -n "$address" ]; then
    own="BERTH-OWN -i $1 -d $address -p udp -j DNAT --to-destination $gateway"
    "$tool" -t nat -C $own 2>/dev/null || "$tool" -t nat -A $own
    ip addr add "$address/32" dev "$1"
  fi
}

scan() {
  present=' '
  while read -r name rest; do
    case $name in *:*) name=${name%%:*} ;; *) continue ;; esac
    present="$present$name "
    case $name in lo|veth*) continue ;; esac
    case $known in *" $name "*) continue ;; esac
    settle "$name" && known="$known$name "
  done < /proc/net/dev
  for name in $known; do
    case $present in *" $name "*) continue ;; esac
    known="${known%%" $name "*} ${known#*" $name "}"
    "$tool" -S BERTH-FORWARD | grep -e " $name " | while read -r add rule; do "$tool" -D $rule; done
    "$tool" -t nat -S BERTH-OWN | grep -e " $name " | while read -r add rule; do "$tool" -t nat -D $rule; done
  done
}

watch() {
  address=$1 known=" lo $2 " networks=$3 daemon=$4 waited=' '
  {
    ip monitor link &
    monitor=$!
    # The first look, one at what was missed, and all there is where `ip` cannot monitor.
    while [ -e "/proc/$daemon/exe" ]; do
      if kill -0 "$monitor"; then sleep 10; else sleep 1; fi
      echo
    done
    kill "$monitor"
  } | while read -r line; do
    case $line in link/*) ;; *) scan ;; esac
  done
}

set -f
case $verb in
  rules) rules "$@" ;;
  watch) watch "$@" ;;
esac
)sh";
}

}  // namespace berth
