// SPDX-License-Identifier: Apache-2.0
// Every body of the docker layer.
#pragma once

#include <berth/impl/docker/client.ipp>
#include <berth/impl/docker/daemon_fsm.ipp>
#include <berth/impl/docker/daemon_messages.ipp>
#include <berth/impl/docker/daemon_probe.ipp>
#include <berth/impl/docker/data_root.ipp>
#include <berth/impl/docker/diagnose.ipp>
#include <berth/impl/docker/guest_daemon.ipp>
#include <berth/impl/docker/login_helper.ipp>
#include <berth/impl/docker/plan.ipp>
#include <berth/impl/docker/recipe.ipp>
#include <berth/impl/docker/registries.ipp>
#include <berth/impl/docker/start_arguments.ipp>
#include <berth/impl/docker/supervisor.ipp>
#include <berth/impl/docker/versions.ipp>
