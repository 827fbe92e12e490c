// The whole library: every public header, layer by layer.
#pragma once

#include <berth/config.hpp>

#include <berth/base/clock.hpp>
#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <berth/runsc/args.hpp>
#include <berth/runsc/binary.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/flags.hpp>
#include <berth/runsc/globals.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/runsc/state.hpp>
#include <berth/runsc/version.hpp>

#include <berth/process/executor.hpp>
#include <berth/process/exit_status.hpp>
#include <berth/process/output_buffer.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>
#include <berth/process/spawn.hpp>

#include <berth/readiness/poll.hpp>
#include <berth/readiness/probe.hpp>
#include <berth/readiness/schedule.hpp>

#include <berth/sandbox/config.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <berth/docker/supervisor.hpp>
