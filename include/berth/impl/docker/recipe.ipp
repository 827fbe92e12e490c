// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/recipe.hpp>
#include <berth/spec/byte_size.hpp>
#include <berth/spec/capabilities.hpp>
#include <berth/spec/mounts.hpp>
#include <berth/spec/process.hpp>
#include <berth/spec/resources.hpp>
#include <berth/spec/root.hpp>

namespace berth {
namespace detail {

inline result<void> add_docker_cgroup(spec_builder& spec, cgroup_mode mode) {
  switch (mode) {
    case cgroup_mode::sandbox:
      // The sandbox's own cgroupfs, v1, with the devices controller that dockerd asks for (runsc 20231218.0 and later).
      return spec_mounts(spec).set({"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}});
    case cgroup_mode::host_bind:
      return spec_mounts(spec).set({"/sys/fs/cgroup", "bind", "/sys/fs/cgroup", {"rbind", "rw"}});
    case cgroup_mode::none: return {};
  }
  return make_error(errc::invalid, "docker", "no such cgroup mode", {}, "sandbox, host-bind or none");
}

inline result<void> add_docker_data_root(spec_builder& spec, const docker_data_root& root, const std::string& path) {
  // No `nodev` on either: layers hold device nodes.
  if (root.where == docker_data_root::kind::tmpfs) {
    // What lies in it is the sandbox's memory: full at half the limit it says ENOSPC to whoever writes, while at the limit
    // the whole sandbox would be killed.
    const std::int64_t limit = spec_resources(spec).memory_limit().value_or(-1);
    const std::uint64_t half = limit > 0 ? static_cast<std::uint64_t>(limit) / 2 : 0;
    return spec_mounts(spec).set(tmpfs_mount(path, root.size != 0 ? root.size : half, 0710));
  }
  if (root.size != 0)
    return make_error(errc::unsupported, "docker", "only a managed sandbox has a directory of the host's with a size",
                      root.directory, "name a directory on a file system of that size, without a size");
  if (!is_mount_path(root.directory))
    return make_error(errc::spec_path, "docker", "the data root is not an absolute directory", root.directory,
                      "give an absolute path without `..`, or tmpfs");
  return spec_mounts(spec).set(bind_mount(clean_path(root.directory), path));
}

/// runtime-spec wants a warning for each name that does not map to a capability.
inline void warn_of_unknown_capabilities(spec_builder& spec, const log_sink& log_to) {
  constexpr std::size_t most = 8;
  const std::vector<unknown_capability> unknown = spec_capabilities(spec).unknown();
  for (std::size_t i = 0; i < unknown.size() && i < most; ++i)
    log(log_to, log_level::warn,
        "a capability that berth does not know stays in the spec: runsc may refuse to start with it",
        {{"capability", unknown[i].name}, {"path", unknown[i].pointer}, {"remedy", "take the name out of the spec"}});
  if (unknown.size() > most)
    log(log_to, log_level::warn, "more capabilities that berth does not know stay in the spec",
        {{"count", std::to_string(unknown.size() - most)}});
}

inline result<void> mutate_for_docker(spec_builder& spec, const docker_recipe& recipe, std::vector<std::string>& done) {
  BERTH_TRY(spec_process(spec).check_present());
  BERTH_TRY(spec_capabilities(spec).add(docker_capabilities));
  done.push_back("17 capabilities in the bounding, effective, permitted and inheritable sets");
  if (recipe.raise_limits) {
    static constexpr std::string_view resource[] = {"CAP_SYS_RESOURCE"};
    BERTH_TRY(spec_capabilities(spec).add(resource));
    done.push_back("CAP_SYS_RESOURCE beside them: nested containers may raise limits");
  }
  BERTH_TRY(add_docker_cgroup(spec, recipe.cgroup));
  if (recipe.cgroup == cgroup_mode::sandbox)
    done.push_back("the sandbox's own cgroups at /sys/fs/cgroup: dockerd wants a devices controller");
  if (recipe.cgroup == cgroup_mode::host_bind) done.push_back("the host's /sys/fs/cgroup, writable");
  if (recipe.data_root) {
    BERTH_TRY(add_docker_data_root(spec, *recipe.data_root, recipe.data_root_path));
    done.push_back(recipe.data_root->where == docker_data_root::kind::tmpfs
                       ? "a tmpfs at " + recipe.data_root_path
                       : "the host's " + recipe.data_root->directory + " at " + recipe.data_root_path);
  }
  if (!recipe.guest.empty()) {
    if (!is_mount_path(recipe.guest))
      return make_error(errc::spec_path, "docker", "the guest program is not an absolute path", recipe.guest,
                        "give the absolute path of berth-init on the host, without `..`");
    BERTH_TRY(spec_mounts(spec).set(bind_mount(clean_path(recipe.guest), std::string(docker_guest_path), true)));
    done.push_back("berth's guest program at " + std::string(docker_guest_path) + ": it starts dockerd");
  }
  if (recipe.writable_root && spec_root(spec).readonly()) {
    BERTH_TRY(spec_root(spec).set_readonly(false));
    done.push_back("a writable root file system");
  }
  return {};
}

}  // namespace detail

BERTH_DECL result<std::vector<std::string>> apply_docker(spec_builder& spec, const docker_recipe& recipe,
                                                         const log_sink& log_to) {
  try {
    std::vector<std::string> done;
    const result<void> applied =
        spec.apply([&](spec_builder& s) { return detail::mutate_for_docker(s, recipe, done); });
    if (!applied) return applied.error();
    log(log_to, log_level::info, "added docker capabilities for sandbox container");
    if (recipe.cgroup == cgroup_mode::sandbox) log(log_to, log_level::info, "added cgroup mount for docker-in-docker");
    if (recipe.cgroup == cgroup_mode::host_bind) {
      log(log_to, log_level::info, "added cgroup bind mount for docker-in-docker");
      log(log_to, log_level::warn,
          "the host's cgroups are open to the sandbox: it can freeze, starve and kill processes of the host, and make "
          "cgroups there; Docker does not work with this mount either",
          {{"mount", "/sys/fs/cgroup"}, {"remedy", "take the cgroup mode sandbox"}});
    }
    detail::warn_of_unknown_capabilities(spec, log_to);
    if (spec_root(spec).path().empty())
      log(log_to, log_level::warn, "the spec has no root file system: runsc starts nothing without",
          {{"path", "/root/path"}, {"remedy", "set it before the bundle is used"}});
    if (spec_root(spec).readonly())
      log(log_to, log_level::warn,
          "the root file system is read-only: dockerd cannot start unless /run, /etc/docker and its data root are mounts",
          {{"path", "/root/readonly"}});
    return done;
  } catch (const std::bad_alloc&) {
    return make_error(errc::no_memory, "docker", "out of memory");
  }
}

BERTH_DECL std::string_view cgroup_mode_name(cgroup_mode mode) noexcept {
  switch (mode) {
    case cgroup_mode::sandbox: return "sandbox";
    case cgroup_mode::host_bind: return "host-bind";
    case cgroup_mode::none: return "none";
  }
  return "unknown";
}

BERTH_DECL result<cgroup_mode> parse_cgroup_mode(std::string_view word) {
  for (cgroup_mode mode : {cgroup_mode::sandbox, cgroup_mode::host_bind, cgroup_mode::none})
    if (word == cgroup_mode_name(mode)) return mode;
  return make_error(errc::invalid, "docker", "no such cgroup mode: " + std::string(word.substr(0, 64)), {},
                    "sandbox, host-bind or none");
}

BERTH_DECL result<docker_data_root> parse_data_root(std::string_view word) {
  docker_data_root out;
  if (word == "tmpfs") return out;
  if (word.starts_with("tmpfs:")) {
    result<std::uint64_t> size = parse_byte_size(word.substr(6));
    if (!size) return std::move(size).error();
    out.size = *size;
    return out;
  }
  if (word.empty() || word.front() != '/')
    return make_error(errc::invalid, "docker", "no such data root: " + std::string(word.substr(0, 64)), {},
                      "tmpfs, tmpfs:SIZE, an absolute directory of the host, or DIRECTORY:SIZE");
  out.where = docker_data_root::kind::directory;
  if (const auto colon = word.rfind(':'); colon != std::string_view::npos && colon + 1 < word.size() &&
                                          word[colon + 1] >= '0' && word[colon + 1] <= '9' &&
                                          word.find('/', colon) == std::string_view::npos) {
    result<std::uint64_t> size = parse_byte_size(word.substr(colon + 1));
    if (!size) {
      size.error().hint += "; a directory that is called so has a slash after its name";
      return std::move(size).error();
    }
    out.size = *size;
    word = word.substr(0, colon);
  }
  out.directory = std::string(word);
  return out;
}

}  // namespace berth
