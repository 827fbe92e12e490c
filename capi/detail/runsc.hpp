// SPDX-License-Identifier: Apache-2.0
// The objects behind a berth_runsc and a berth_argv.
#pragma once

#include "guard.hpp"
#include "options.hpp"

#include <berth/runsc/runsc.hpp>

namespace berth::capi {

struct runsc_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::runsc;
  static constexpr handle_use use = handle_use::shared;
  explicit runsc_object(runsc_binary b) : binary(std::move(b)) {}
  runsc_binary binary;
};

struct argv_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::argv;
  static constexpr handle_use use = handle_use::shared;
  explicit argv_object(runsc_argv a) : argv(std::move(a)) {}
  runsc_argv argv;
};

/// probe_runsc with a runner that blocks for at most 30 s in all.
result<runsc_binary> probe_runsc_blocking(std::string_view name, std::string_view cache_dir);

/// runsc's global options, by the names of runsc_globals.
runsc_globals read_runsc_globals(options_object o);

}  // namespace berth::capi
