// The Docker part of options texts.
#pragma once

#include "options.hpp"

#include <berth/docker/recipe.hpp>

namespace berth::capi {

/// "cgroup", "data_root", "data_root_path".
docker_recipe read_docker_recipe(options_object& o);

}  // namespace berth::capi
