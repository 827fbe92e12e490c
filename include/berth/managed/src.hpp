// SPDX-License-Identifier: Apache-2.0
// Every body of the managed layer.
#pragma once

#include <berth/impl/managed/add_docker.ipp>
#include <berth/impl/managed/container_stats.ipp>
#include <berth/impl/managed/diagnose.ipp>
#include <berth/impl/managed/docker_sandbox.ipp>
#include <berth/impl/managed/firewall_checks.ipp>
#include <berth/impl/managed/machine_checks.ipp>
#include <berth/impl/managed/ports.ipp>
#include <berth/impl/managed/purpose.ipp>
#include <berth/impl/managed/rootfs_checks.ipp>
#include <berth/impl/managed/sandbox_rules.ipp>
#include <berth/impl/managed/status.ipp>
#include <berth/impl/managed/terminate.ipp>
