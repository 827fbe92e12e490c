// SPDX-License-Identifier: Apache-2.0
// Mutations in any order on any spec. The bytes before the first NUL choose the operations, what follows is the spec. After
// each: the document still passes the checks; done again it changes nothing more; undone it is as it was.
#include <berth/docker/recipe.hpp>
#include <berth/impl/docker/recipe.ipp>  // fuzz targets are linked with the pure layers only
#include <berth/spec/spec.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace berth;

void must(bool holds) {
  if (!holds) std::abort();
}

/// Takes its arguments from the operation's own bytes, so that the fuzzer can find ones that matter.
class arguments {
 public:
  explicit arguments(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  unsigned number() {
    if (bytes_.empty()) return 0;
    const unsigned n = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return n;
  }
  std::string text() {
    static constexpr std::string_view words[] = {"/proc",
                                                 "/sys/fs/cgroup",
                                                 "/sys",
                                                 "/",
                                                 "/dev/./shm//",
                                                 "/a/../b",
                                                 "PATH",
                                                 "A",
                                                 "a",
                                                 "",
                                                 "RLIMIT_NOFILE",
                                                 "network",
                                                 "pid",
                                                 "CAP_SYS_ADMIN",
                                                 "KILL",
                                                 "read",
                                                 "SCMP_ACT_ALLOW",
                                                 "memory.high",
                                                 "ä😀\n\"\\",
                                                 "\xff",
                                                 "x=y",
                                                 "linux"};
    const unsigned n = number();
    if (n < std::size(words)) return std::string(words[n]);
    const std::string out(bytes_.substr(0, n % 32));
    bytes_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view bytes_;
};

/// `appends` is set by the one verb that adds each time.
result<void> step(spec_builder& s, arguments a, bool& appends) {
  const unsigned what = a.number() % 48;
  const std::string one = a.text();
  const std::string two = a.text();
  const unsigned n = a.number();
  const std::string_view names[] = {one, two};
  const auto sets = static_cast<capability_sets>(n & 31);
  switch (what) {
    case 0: return spec_process(s).set_args({one, two});
    case 1: appends = true; return spec_process(s).add_arg(one);
    case 2: return spec_process(s).clear_args();
    case 3: return spec_process(s).set_cwd(one);
    case 4: return spec_process(s).set_user(n, n * 16777619u);
    case 5: return spec_process(s).add_group(n);
    case 6: return spec_process(s).remove_group(n);
    case 7: return spec_process(s).clear_groups();
    case 8: return spec_process(s).set_terminal(n & 1);
    case 9: return spec_process(s).set_no_new_privileges(n & 1);
    case 10: return spec_process(s).set_oom_score_adj(static_cast<int>(n) * 10 - 1200);
    case 11: return spec_process(s).clear_oom_score_adj();
    case 12: return spec_process(s).clear();
    case 13: return spec_capabilities(s).add(names, sets);
    case 14: return spec_capabilities(s).set(names, sets);
    case 15: return spec_capabilities(s).remove(names, sets);
    case 16: return spec_capabilities(s).clear(sets);
    case 17: return spec_mounts(s).set({one, "tmpfs", two, {two}});
    case 18: return spec_mounts(s).add({one, "bind", two, {}});
    case 19: return spec_mounts(s).remove(one);
    case 20: return spec_mounts(s).clear();
    case 21: return spec_namespaces(s).set({one, two});
    case 22: return spec_namespaces(s).add({one, two});
    case 23: return spec_namespaces(s).remove(one);
    case 24: return spec_namespaces(s).clear();
    case 25: return spec_resources(s).set_cpus(n / 16.0);
    case 26: return spec_resources(s).clear_cpu();
    case 27: return spec_resources(s).set_memory_limit(static_cast<std::int64_t>(n) - 2);
    case 28: return spec_resources(s).clear_memory_limit();
    case 29: return spec_resources(s).set_pids_limit(n);
    case 30: return spec_resources(s).set_unified(one, two);
    case 31: return spec_resources(s).remove_unified(one);
    case 32: return spec_resources(s).set_cgroups_path(one);
    case 33: return spec_resources(s).clear();
    case 34: return spec_rlimits(s).set({one, n, 128});
    case 35: return spec_rlimits(s).add({one, n, n});
    case 36: return spec_rlimits(s).remove(one);
    case 37: return spec_env(s).set(one, two);
    case 38: return spec_env(s).add(one, two);
    case 39: return spec_env(s).remove(one);
    case 40: return spec_annotations(s).set(one, two);
    case 41: return spec_annotations(s).remove(one);
    case 42: return spec_hostname(s).set(one);
    case 43: return n & 1 ? spec_root(s).set_path(one) : spec_root(s).set_readonly(n & 2);
    case 44: return spec_seccomp(s).set(one);
    case 45: return n & 1 ? spec_seccomp(s).add({one, two}, "SCMP_ACT_ALLOW") : spec_seccomp(s).remove(one);
    case 46: return spec_seccomp(s).set(R"({"defaultAction":"SCMP_ACT_ALLOW"})");
    default: {
      docker_recipe recipe;
      recipe.cgroup = static_cast<cgroup_mode>(n % 3);
      if (n & 4) recipe.data_root = docker_data_root{docker_data_root::kind::directory, 0, one};
      if (n & 8) recipe.data_root_path = two;
      recipe.writable_root = (n & 16) != 0;
      const auto done = apply_docker(s, recipe);
      if (!done) return done.error();
      return {};
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t nul = all.find('\0');
  if (nul == std::string_view::npos) return 0;
  result<spec_builder> spec = spec_builder::parse(all.substr(nul + 1));
  if (!spec) return 0;
  const result<spec_builder> original = spec->clone();
  must(original.has_value());
  const std::string original_json = spec->to_json();
  must(original->to_json() == original_json);

  std::string_view script = all.substr(0, nul);
  for (int steps = 0; !script.empty() && steps < 32; ++steps) {
    const std::string_view one = script.substr(0, script.find(';'));
    script.remove_prefix(std::min(one.size() + 1, script.size()));
    const std::string before = spec->to_json();
    bool appends = false;

    // Undone, by a group that fails at its end.
    must(!spec->apply([&](spec_builder& s) { return step(s, arguments(one), appends); },
                      [](spec_builder&) -> result<void> { return make_error(errc::state, "fuzz", "undo this"); }));
    must(spec->to_json() == before);

    const result<void> outcome = step(*spec, arguments(one), appends);
    const std::string after = spec->to_json();
    if (!outcome) {
      must(!outcome.error().message.empty());
      must(after == before);
      continue;
    }
    const result<spec_builder> again = spec_builder::parse(after);
    must(again.has_value() && again->to_json() == after);
    if (!appends) {
      must(step(*spec, arguments(one), appends).has_value());
      must(spec->to_json() == after);
    }
    // The diff explains every change, and only when there is one.
    must(diff_specs(*spec, *spec).empty());
  }
  const bool changed = !diff_specs(*original, *spec).empty();
  must(changed || spec->to_json().size() == original_json.size());
  return 0;
}
