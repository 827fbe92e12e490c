#include "detail/docker_options.hpp"

namespace berth::capi {

docker_recipe read_docker_recipe(options_object& o) {
  docker_recipe recipe;
  if (auto word = o.text("cgroup")) {
    auto mode = parse_cgroup_mode(*word);
    if (mode) {
      recipe.cgroup = *mode;
    } else {
      o.complain("cgroup", mode.error().message, mode.error().code, mode.error().hint);
    }
  }
  if (auto word = o.text("data_root")) {
    auto root = parse_data_root(*word);
    if (root) {
      recipe.data_root = *root;
    } else {
      o.complain("data_root", root.error().message, root.error().code, root.error().hint);
    }
  }
  o.into(recipe.data_root_path, o.text("data_root_path"));
  return recipe;
}

}  // namespace berth::capi
