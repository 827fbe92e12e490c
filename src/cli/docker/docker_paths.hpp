// SPDX-License-Identifier: Apache-2.0
// Which paths of its own a client of Docker names as binds. The daemon takes them for paths of the sandbox.
#pragma once

#include <berth/spec/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

/// The sources of the binds in `docker WORDS…`: of -v, --volume and --mount of `run` and `create`, absolute. Names of volumes
/// are none. Pure, but for the present directory that a relative path begins at.
std::vector<std::string> bind_sources(const std::vector<std::string>& words);

/// The words that have `docker compose` print the model behind a call that makes containers: the call's own up to its verb,
/// then `config --format json`. Nothing where `words` are no such call.
std::optional<std::vector<std::string>> compose_config_words(const std::vector<std::string>& words);

/// The sources of binds, and the files behind secrets and configs, in what that prints.
std::vector<std::string> compose_sources(json_view model);

}  // namespace berth::cli
