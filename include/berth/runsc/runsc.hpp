// SPDX-License-Identifier: Apache-2.0
// The whole runsc layer.
#pragma once

#include <berth/runsc/args.hpp>
#include <berth/runsc/binary.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/flags.hpp>
#include <berth/runsc/globals.hpp>
#include <berth/runsc/probe.hpp>
#include <berth/runsc/state.hpp>
#include <berth/runsc/version.hpp>
