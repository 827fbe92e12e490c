// SPDX-License-Identifier: Apache-2.0
// Every body of the process layer.
#pragma once

#include <berth/impl/process/tree.ipp>
#include <berth/impl/process/executor.ipp>
#include <berth/impl/process/launch.ipp>
#include <berth/impl/process/output_buffer.ipp>
#include <berth/impl/process/pidfd.ipp>
#include <berth/impl/process/process.ipp>
#include <berth/impl/process/run_blocking.ipp>
#include <berth/impl/process/run_process.ipp>
#include <berth/impl/process/spawn.ipp>
