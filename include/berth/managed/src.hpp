// SPDX-License-Identifier: Apache-2.0
// Every body of the managed layer.
#pragma once

#include <berth/impl/managed/add_docker.ipp>
#include <berth/impl/managed/diagnose.ipp>
#include <berth/impl/managed/docker_sandbox.ipp>
#include <berth/impl/managed/ports.ipp>
#include <berth/impl/managed/purpose.ipp>
#include <berth/impl/managed/status.ipp>
#include <berth/impl/managed/terminate.ipp>
