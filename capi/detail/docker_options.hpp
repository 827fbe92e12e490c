// SPDX-License-Identifier: Apache-2.0
// The Docker part of options texts.
#pragma once

#include "options.hpp"

#include <berth/docker/recipe.hpp>

namespace berth::capi {

/// "cgroup", "data_root", "data_root_path" over `recipe`.
docker_recipe read_docker_recipe(options_object& o, docker_recipe recipe = {});

/// "registry_mirrors" and what else is of registries.
docker_registries read_docker_registries(options_object& o);

}  // namespace berth::capi
