// SPDX-License-Identifier: Apache-2.0
// Docker's published ports, which are given up while a checkpoint is made: runtime/port_proxy.hpp says why.
#pragma once

namespace berth::guest {

/// Whether a docker-proxy runs, kept by berth or not.
bool publishes_ports();

/// Has each docker-proxy that berth keeps end, and waits for that, three seconds at most.
void give_up_published_ports();

/// Has them begun again, and waits for nothing.
void take_up_published_ports();

}  // namespace berth::guest
