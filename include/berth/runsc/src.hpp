// SPDX-License-Identifier: Apache-2.0
// Every body of the runsc layer.
#pragma once

#include <berth/impl/runsc/args.ipp>
#include <berth/impl/runsc/binary.ipp>
#include <berth/impl/runsc/diagnose.ipp>
#include <berth/impl/runsc/flags.ipp>
#include <berth/impl/runsc/globals.ipp>
#include <berth/impl/runsc/log_files.ipp>
#include <berth/impl/runsc/probe.ipp>
#include <berth/impl/runsc/state.ipp>
#include <berth/impl/runsc/version.ipp>
