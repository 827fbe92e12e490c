// SPDX-License-Identifier: Apache-2.0
// spec_ops: berth's spec operations for tests/golden/specs-go, which asks Go's structs what came of them.
//
//	spec_ops list            the names of the operations, one a line
//	spec_ops run OPERATION   applies it to the spec on stdin, writes the result to stdout; exit 1 and the error on stderr
//	spec_ops check OPERATION for each line on stdin, a document in hexadecimal: "ok" and the spec as berth writes it once
//	                         the operation is applied, or "refused", the code and the pointer, tab-separated on one line
#include <berth/docker/recipe.hpp>
#include <berth/spec/spec.hpp>

#include <cstdio>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace {

using berth::result;
using berth::spec_builder;
using operation = std::function<result<void>(spec_builder&)>;

/// The recipe refuses a spec without arguments: such a one gets some first.
result<void> docker(spec_builder& spec, berth::cgroup_mode mode, const char* data_root) {
  if (!berth::spec_process(spec).check_present()) BERTH_TRY(berth::spec_process(spec).set_args({"sh"}));
  berth::docker_recipe recipe;
  recipe.cgroup = mode;
  if (data_root != nullptr) recipe.data_root = berth::parse_data_root(data_root).value();
  const auto done = berth::apply_docker(spec, recipe);
  if (!done) return done.error();
  return {};
}

// What each is meant to do is said, in Go, in operations.go: the two lists have the same names.
std::vector<std::pair<std::string, operation>> operations() {
  using namespace berth;
  static constexpr std::string_view two[] = {"SYS_ADMIN", "CAP_NET_ADMIN"};
  return {
      {"nothing", [](spec_builder&) { return result<void>(); }},
      {"docker", [](spec_builder& s) { return docker(s, cgroup_mode::sandbox, nullptr); }},
      {"docker-host-bind", [](spec_builder& s) { return docker(s, cgroup_mode::host_bind, nullptr); }},
      {"docker-none", [](spec_builder& s) { return docker(s, cgroup_mode::none, nullptr); }},
      {"docker-tmpfs", [](spec_builder& s) { return docker(s, cgroup_mode::sandbox, "tmpfs:2Gi"); }},
      {"docker-directory", [](spec_builder& s) { return docker(s, cgroup_mode::sandbox, "/srv/docker"); }},
      {"args-set",
       [](spec_builder& s) {
         return spec_process(s).set_args({"/bin/echo", "ä \"quoted\"\n", ""});
       }},
      {"args-add", [](spec_builder& s) { return spec_process(s).add_arg("<last>&"); }},
      {"args-clear", [](spec_builder& s) { return spec_process(s).clear_args(); }},
      {"cwd-set", [](spec_builder& s) { return spec_process(s).set_cwd("/srv/a b"); }},
      {"user-set", [](spec_builder& s) { return spec_process(s).set_user(4294967295u, 1000); }},
      {"group-add", [](spec_builder& s) { return spec_process(s).add_group(27); }},
      {"group-remove", [](spec_builder& s) { return spec_process(s).remove_group(10); }},
      {"groups-clear", [](spec_builder& s) { return spec_process(s).clear_groups(); }},
      {"terminal-set", [](spec_builder& s) { return spec_process(s).set_terminal(true); }},
      {"no-new-privileges-set", [](spec_builder& s) { return spec_process(s).set_no_new_privileges(false); }},
      {"oom-score-adj-set", [](spec_builder& s) { return spec_process(s).set_oom_score_adj(-500); }},
      {"oom-score-adj-clear", [](spec_builder& s) { return spec_process(s).clear_oom_score_adj(); }},
      {"process-clear", [](spec_builder& s) { return spec_process(s).clear(); }},
      {"capabilities-add", [](spec_builder& s) { return spec_capabilities(s).add(two); }},
      {"capabilities-set", [](spec_builder& s) { return spec_capabilities(s).set(two, capability_sets::all); }},
      {"capabilities-remove",
       [](spec_builder& s) {
         static constexpr std::string_view kill[] = {"KILL"};
         return spec_capabilities(s).remove(kill);
       }},
      {"capabilities-clear", [](spec_builder& s) { return spec_capabilities(s).clear(); }},
      {"ambient-clear", [](spec_builder& s) { return spec_capabilities(s).clear(capability_sets::ambient); }},
      {"mount-set",
       [](spec_builder& s) {
         return spec_mounts(s).set({"/proc//", "proc", "proc", {"rw", "nosuid"}});
       }},
      {"mount-add", [](spec_builder& s) { return spec_mounts(s).add(bind_mount("/srv/new", "/new/./place", true)); }},
      {"mount-remove", [](spec_builder& s) { return spec_mounts(s).remove("/dev"); }},
      {"mounts-clear", [](spec_builder& s) { return spec_mounts(s).clear(); }},
      {"namespace-set",
       [](spec_builder& s) {
         return spec_namespaces(s).set({"network", "/run/netns/x"});
       }},
      {"namespace-new", [](spec_builder& s) { return spec_namespaces(s).set({"network"}); }},
      {"namespace-add", [](spec_builder& s) { return spec_namespaces(s).add({"cgroup"}); }},
      {"namespace-remove", [](spec_builder& s) { return spec_namespaces(s).remove("ipc"); }},
      {"namespaces-clear", [](spec_builder& s) { return spec_namespaces(s).clear(); }},
      {"cpus-set", [](spec_builder& s) { return spec_resources(s).set_cpus(2.5); }},
      {"cpu-clear", [](spec_builder& s) { return spec_resources(s).clear_cpu(); }},
      {"memory-set", [](spec_builder& s) { return spec_resources(s).set_memory_limit(9007199254740993); }},
      {"memory-clear", [](spec_builder& s) { return spec_resources(s).clear_memory_limit(); }},
      {"pids-set", [](spec_builder& s) { return spec_resources(s).set_pids_limit(100); }},
      {"unified-set", [](spec_builder& s) { return spec_resources(s).set_unified("memory.high", "max"); }},
      {"unified-remove", [](spec_builder& s) { return spec_resources(s).remove_unified("memory.high"); }},
      {"cgroups-path-set", [](spec_builder& s) { return spec_resources(s).set_cgroups_path("/berth/x"); }},
      {"cgroups-path-clear", [](spec_builder& s) { return spec_resources(s).clear_cgroups_path(); }},
      {"resources-clear", [](spec_builder& s) { return spec_resources(s).clear(); }},
      {"rlimit-set",
       [](spec_builder& s) {
         return spec_rlimits(s).set({"RLIMIT_NOFILE", 1, UINT64_MAX});
       }},
      {"rlimit-add",
       [](spec_builder& s) {
         return spec_rlimits(s).add({"RLIMIT_CORE", 0, 0});
       }},
      {"rlimit-remove", [](spec_builder& s) { return spec_rlimits(s).remove("RLIMIT_NOFILE"); }},
      {"rlimits-clear", [](spec_builder& s) { return spec_rlimits(s).clear(); }},
      {"env-set", [](spec_builder& s) { return spec_env(s).set("PATH", "/bin=\\"); }},
      {"env-add", [](spec_builder& s) { return spec_env(s).add("NEW", "\x01\x7f😀"); }},
      {"env-remove", [](spec_builder& s) { return spec_env(s).remove("PATH"); }},
      {"env-clear", [](spec_builder& s) { return spec_env(s).clear(); }},
      {"annotation-set", [](spec_builder& s) { return spec_annotations(s).set("dev.gvisor.x/~y", "v"); }},
      {"annotation-remove", [](spec_builder& s) { return spec_annotations(s).remove("a"); }},
      {"annotations-clear", [](spec_builder& s) { return spec_annotations(s).clear(); }},
      {"hostname-set", [](spec_builder& s) { return spec_hostname(s).set("box"); }},
      {"hostname-clear", [](spec_builder& s) { return spec_hostname(s).clear(); }},
      {"root-path-set", [](spec_builder& s) { return spec_root(s).set_path("/srv/root"); }},
      {"root-readonly-set", [](spec_builder& s) { return spec_root(s).set_readonly(true); }},
      {"root-readonly-unset", [](spec_builder& s) { return spec_root(s).set_readonly(false); }},
      {"root-clear", [](spec_builder& s) { return spec_root(s).clear(); }},
      {"seccomp-set",
       [](spec_builder& s) {
         return spec_seccomp(s).set(
             R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]})");
       }},
      {"seccomp-set-add-remove",
       [](spec_builder& s) {
         return s.apply([](spec_builder& t) { return spec_seccomp(t).set(R"({"defaultAction":"SCMP_ACT_ERRNO"})"); },
                        [](spec_builder& t) {
                          return spec_seccomp(t).add({"read", "write"}, "SCMP_ACT_ALLOW");
                        },
                        [](spec_builder& t) { return spec_seccomp(t).add({"mount"}, "SCMP_ACT_LOG"); },
                        [](spec_builder& t) { return spec_seccomp(t).remove("mount"); },
                        [](spec_builder& t) { return spec_seccomp(t).remove("write"); });
       }},
      {"seccomp-clear", [](spec_builder& s) { return spec_seccomp(s).clear(); }},
  };
}

std::string read_all(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

std::string from_hex(const std::string& line) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < line.size(); i += 2)
    out += static_cast<char>(digit(line[i]) << 4 | digit(line[i + 1]));
  return out;
}

void check(const std::string& json, const operation& apply) {
  result<spec_builder> spec = spec_builder::parse(json);
  const result<void> outcome = spec ? apply(*spec) : result<void>(spec.error());
  if (outcome) {
    std::cout << "ok\t" << spec->to_json() << '\n';
  } else {
    std::cout << "refused\t" << berth::errc_name(outcome.error().code) << '\t' << outcome.error().path << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const auto all = operations();
  if (args.size() == 1 && args[0] == "list") {
    for (const auto& [name, apply] : all) std::cout << name << '\n';
    return 0;
  }
  if (args.size() == 2 && args[0] == "check") {
    for (const auto& [name, apply] : all) {
      if (name != args[1]) continue;
      for (std::string line; std::getline(std::cin, line);) check(from_hex(line), apply);
      return 0;
    }
  }
  if (args.size() == 2 && args[0] == "run") {
    for (const auto& [name, apply] : all) {
      if (name != args[1]) continue;
      result<spec_builder> spec = spec_builder::parse(read_all(std::cin));
      if (!spec) {
        std::cerr << spec.error().to_string() << '\n';
        return 1;
      }
      // Twice: the second time must change nothing, but for the verb that appends each time.
      const result<void> outcome = apply(*spec);
      const std::string once = spec->to_json();
      if (outcome && name != "args-add" && (!apply(*spec) || spec->to_json() != once)) {
        std::cerr << name << " is not idempotent\n";
        return 1;
      }
      if (!outcome) {
        std::cerr << outcome.error().to_string() << '\n';
        return 1;
      }
      std::cout << once << '\n';
      return 0;
    }
  }
  std::cerr << "usage: spec_ops list | run OPERATION | check OPERATION\n";
  return 2;
}
