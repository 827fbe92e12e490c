// SPDX-License-Identifier: Apache-2.0
// Every body of the network layer.
#pragma once

#include <berth/impl/network/address.ipp>
#include <berth/impl/network/egress.ipp>
#include <berth/impl/network/egress_name.ipp>
#include <berth/impl/network/host.ipp>
#include <berth/impl/network/host_ports.ipp>
#include <berth/impl/network/network.ipp>
#include <berth/impl/network/plan.ipp>
#include <berth/impl/network/published.ipp>
