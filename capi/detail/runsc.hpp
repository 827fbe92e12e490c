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

/// runsc's global options, by the names of runsc_globals.
runsc_globals read_runsc_globals(options_object o);

}  // namespace berth::capi
