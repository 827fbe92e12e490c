// SPDX-License-Identifier: Apache-2.0
// Every body of the sandbox layer.
#pragma once

#include <berth/impl/sandbox/bundle.ipp>
#include <berth/impl/sandbox/checkpoint.ipp>
#include <berth/impl/sandbox/config.ipp>
#include <berth/impl/sandbox/create.ipp>
#include <berth/impl/sandbox/directory_lock.ipp>
#include <berth/impl/sandbox/disk.ipp>
#include <berth/impl/sandbox/root_watch.ipp>
#include <berth/impl/sandbox/egress.ipp>
#include <berth/impl/sandbox/exec.ipp>
#include <berth/impl/sandbox/exec_by_guest.ipp>
#include <berth/impl/sandbox/exec_process.ipp>
#include <berth/impl/sandbox/exit_reason.ipp>
#include <berth/impl/sandbox/export.ipp>
#include <berth/impl/sandbox/hibernate.ipp>
#include <berth/impl/sandbox/pause.ipp>
#include <berth/impl/sandbox/find_runsc.ipp>
#include <berth/impl/sandbox/host_resources.ipp>
#include <berth/impl/sandbox/image.ipp>
#include <berth/impl/sandbox/image_layer.ipp>
#include <berth/impl/sandbox/image_layout.ipp>
#include <berth/impl/sandbox/name_service.ipp>
#include <berth/impl/sandbox/obstacle.ipp>
#include <berth/impl/sandbox/process_identity.ipp>
#include <berth/impl/sandbox/reach.ipp>
#include <berth/impl/sandbox/record.ipp>
#include <berth/impl/sandbox/remove.ipp>
#include <berth/impl/sandbox/root_directory.ipp>
#include <berth/impl/sandbox/root_marker.ipp>
#include <berth/impl/sandbox/runsc_client.ipp>
#include <berth/impl/sandbox/runsc_executor.ipp>
#include <berth/impl/sandbox/runsc_processes.ipp>
#include <berth/impl/sandbox/sandbox_sockets.ipp>
#include <berth/impl/sandbox/sandbox.ipp>
#include <berth/impl/sandbox/state_directory.ipp>
