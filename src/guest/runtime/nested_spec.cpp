// SPDX-License-Identifier: Apache-2.0
#include "nested_spec.hpp"

#include "base/words.hpp"

#include <berth/spec/capabilities.hpp>
#include <berth/spec/masked_paths.hpp>
#include <berth/spec/rlimits.hpp>
#include <berth/spec/sysctl.hpp>

#include <algorithm>

namespace berth::guest {
namespace {

// By their numbers.
constexpr std::string_view capability_names[] = {"CAP_CHOWN",
                                                 "CAP_DAC_OVERRIDE",
                                                 "CAP_DAC_READ_SEARCH",
                                                 "CAP_FOWNER",
                                                 "CAP_FSETID",
                                                 "CAP_KILL",
                                                 "CAP_SETGID",
                                                 "CAP_SETUID",
                                                 "CAP_SETPCAP",
                                                 "CAP_LINUX_IMMUTABLE",
                                                 "CAP_NET_BIND_SERVICE",
                                                 "CAP_NET_BROADCAST",
                                                 "CAP_NET_ADMIN",
                                                 "CAP_NET_RAW",
                                                 "CAP_IPC_LOCK",
                                                 "CAP_IPC_OWNER",
                                                 "CAP_SYS_MODULE",
                                                 "CAP_SYS_RAWIO",
                                                 "CAP_SYS_CHROOT",
                                                 "CAP_SYS_PTRACE",
                                                 "CAP_SYS_PACCT",
                                                 "CAP_SYS_ADMIN",
                                                 "CAP_SYS_BOOT",
                                                 "CAP_SYS_NICE",
                                                 "CAP_SYS_RESOURCE",
                                                 "CAP_SYS_TIME",
                                                 "CAP_SYS_TTY_CONFIG",
                                                 "CAP_MKNOD",
                                                 "CAP_LEASE",
                                                 "CAP_AUDIT_WRITE",
                                                 "CAP_AUDIT_CONTROL",
                                                 "CAP_SETFCAP",
                                                 "CAP_MAC_OVERRIDE",
                                                 "CAP_MAC_ADMIN",
                                                 "CAP_SYSLOG",
                                                 "CAP_WAKE_ALARM",
                                                 "CAP_BLOCK_SUSPEND",
                                                 "CAP_AUDIT_READ",
                                                 "CAP_PERFMON",
                                                 "CAP_BPF",
                                                 "CAP_CHECKPOINT_RESTORE"};
constexpr unsigned sys_resource = 24;
// Up to which every Docker knows them: who asks for all of these asks for all.
constexpr unsigned oldest_last = 36;

bool has(std::uint64_t set, unsigned number) { return (set >> number & 1) != 0; }

// runc ends with "unable to apply caps" where it is to hand on what it does not have.
result<void> drop_capabilities(spec_builder& spec, std::uint64_t ours, edit_notes& notes) {
  const std::vector<std::string> asked = spec_capabilities(spec).get(capability_sets::bounding);
  std::vector<std::string_view> lacking;
  std::string named;
  bool all = true;
  for (unsigned i = 0; i < std::size(capability_names); ++i) {
    if (has(ours, i)) continue;
    lacking.push_back(capability_names[i]);
    const bool wanted = std::find(asked.begin(), asked.end(), capability_names[i]) != asked.end();
    if (wanted) named += (named.empty() ? "" : ", ") + std::string(capability_names[i]);
    else if (i <= oldest_last) all = false;
  }
  BERTH_TRY(spec_capabilities(spec).remove(lacking));
  if (!named.empty() && !all) notes.push_back("the sandbox has no " + named + ": the container is without");
  return {};
}

// gVisor lets these be set (sentry/kernel/sys_rlimit: setableLimits); all others answer EPERM whatever one has.
bool is_settable(std::string_view type) {
  static constexpr std::string_view settable[] = {"RLIMIT_AS",    "RLIMIT_CORE",    "RLIMIT_CPU",    "RLIMIT_DATA",
                                                  "RLIMIT_FSIZE", "RLIMIT_MEMLOCK", "RLIMIT_NOFILE", "RLIMIT_NPROC",
                                                  "RLIMIT_RSS",   "RLIMIT_STACK"};
  return std::find(std::begin(settable), std::end(settable), type) != std::end(settable);
}

std::string limit_text(std::uint64_t limit) { return limit == UINT64_MAX ? "unlimited" : std::to_string(limit); }

result<void> lower_limits(spec_builder& spec, const sandbox_powers& powers, edit_notes& notes) {
  spec_rlimits limits(spec);
  for (spec_rlimit limit : limits.list()) {
    if (!is_settable(limit.type)) {
      BERTH_TRY(limits.remove(limit.type));
      notes.push_back("gVisor has no " + limit.type + ": the limit is left out");
      continue;
    }
    if (has(powers.capabilities, sys_resource)) continue;
    const std::uint64_t most = powers.hard_limit(limit.type);
    if (limit.hard <= most) continue;
    notes.push_back(limit.type + " is " + limit_text(most) + " in place of " + limit_text(limit.hard) +
                    ": the sandbox has no CAP_SYS_RESOURCE to raise it with");
    limit.hard = most;
    limit.soft = std::min(limit.soft, most);
    BERTH_TRY(limits.set(limit));
  }
  return {};
}

// What a parameter of these tunes (the sizes and times of Linux's own stack, IPC that gVisor does not bound this way) is
// not there in gVisor to be tuned: a container does the same without.
bool only_tunes(std::string_view name) {
  static constexpr std::string_view groups[] = {"net.core.",       "net.ipv4.tcp_",   "net.ipv4.udp_",
                                                "net.ipv4.neigh.", "net.ipv6.neigh.", "kernel.shm",
                                                "kernel.msg",      "kernel.sem",      "fs.mqueue."};
  return std::any_of(std::begin(groups), std::end(groups), [&](std::string_view g) { return name.starts_with(g); });
}

// In every network namespace of gVisor's IPv6 is there, and there is no parameter to take it away.
bool switches_ipv6(std::string_view name) {
  return name.starts_with("net.ipv6.conf.") && name.ends_with(".disable_ipv6");
}

// Numbers apart by any blanks: "4096\t16384\t65536\n" and "4096 16384 65536" are one value.
std::string normal(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (!blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

result<void> drop_parameters(spec_builder& spec, const sandbox_powers& powers, edit_notes& notes) {
  spec_sysctl parameters(spec);
  for (const auto& [name, value] : parameters.list()) {
    const std::optional<kernel_parameter> there = powers.parameter(name);
    if (there && there->writable) continue;  // it may be the new namespace's own: runc sets it
    const bool of_ipv6 = !there && switches_ipv6(name);
    const bool so_already = there ? normal(there->value) == normal(value) : of_ipv6 && normal(value) == "0";
    if (!so_already && !of_ipv6 && !only_tunes(name))
      return make_error(errc::unsupported, "runtime",
                        there ? "gVisor does not let " + name + " be set: it is " + normal(there->value)
                              : "gVisor has no kernel parameter " + name,
                        "--sysctl " + name + "=" + value, "leave it out (in compose: under sysctls)");
    BERTH_TRY(parameters.remove(name));
    if (of_ipv6 && !so_already) notes.push_back("gVisor cannot take IPv6 away: " + name + "=" + value + " is left out");
    else if (!so_already)
      notes.push_back("gVisor has nothing that " + name + "=" + value + " would tune: it is left out");
  }
  return {};
}

result<void> unmask_directories(spec_builder& spec, const sandbox_powers& powers) {
  spec_masked_paths masked(spec);
  const std::vector<std::string> all = masked.list();
  std::vector<std::string_view> directories;
  for (const std::string& path : all)
    // Those of the kernel's own file systems, where this sandbox sees what the container will; they hold nothing of the
    // host's in gVisor. Files stay masked.
    if ((path.starts_with("/proc/") || path.starts_with("/sys/")) && powers.is_directory(path))
      directories.push_back(path);
  return directories.empty() ? result<void>() : masked.remove(directories);
}

// release-20260701.0: cpu.cfs_quota_us and cpuset.cpus are kept, and nothing schedules by them.
void tell_of_processors(const spec_builder& spec, edit_notes& notes) {
  const auto quota = spec.get("/linux/resources/cpu/quota");
  const auto set = spec.get("/linux/resources/cpu/cpus");
  if (quota && *quota != "null" && *quota != "0" && !quota->starts_with('-'))
    notes.push_back(
        "gVisor does not hold a container to its share of the processors (--cpus, --cpu-quota): limit the sandbox");
  if (set && *set != "null" && *set != "\"\"")
    notes.push_back("gVisor does not bind a container to processors (--cpuset-cpus): limit the sandbox");
}

void tell_of_processes(const spec_builder& spec, const sandbox_powers& powers, edit_notes& notes) {
  const auto limit = spec.get("/linux/resources/pids/limit");
  if (powers.limits_processes || !limit || *limit == "null" || *limit == "0" || limit->starts_with('-')) return;
  notes.push_back(
      "this gVisor asks for a container's number of processes (--pids-limit) at some forks only, so that it can be passed: "
      "take runsc 20260905.0 or newer");
}

}  // namespace

bool asks_for_each_fork(std::string_view cgroups) {
  std::string_view line, word, first;
  while (next_line(cgroups, line)) {
    if (line.starts_with('#') || !next_word(line, word) || !next_word(line, word)) continue;
    if (!first.empty() && word != first) return false;
    first = word;
  }
  return true;
}

result<edit_notes> edit_nested_spec(spec_builder& spec, const sandbox_powers& powers) {
  edit_notes notes;
  const auto edited = spec.apply([&](spec_builder& s) -> result<void> {
    if (powers.unmask_directories) BERTH_TRY(unmask_directories(s, powers));
    BERTH_TRY(drop_capabilities(s, powers.capabilities, notes));
    BERTH_TRY(lower_limits(s, powers, notes));
    tell_of_processors(s, notes);
    tell_of_processes(s, powers, notes);
    return drop_parameters(s, powers, notes);
  });
  if (!edited) return edited.error();
  return notes;
}

result<edited_process> edit_nested_process(std::string_view json, const sandbox_powers& powers) {
  // A process is a member of a spec: as one it is read and changed by the same rules.
  auto spec = spec_builder::parse("{\"ociVersion\":\"1.0.2\",\"process\":" + std::string(json) + "}");
  if (!spec) return std::move(spec).error();
  edited_process out;
  const auto edited = spec->apply([&](spec_builder& s) -> result<void> {
    BERTH_TRY(drop_capabilities(s, powers.capabilities, out.notes));
    return lower_limits(s, powers, out.notes);
  });
  if (!edited) return edited.error();
  auto text = spec->get("/process");
  if (!text) return std::move(text).error();
  out.json = std::move(*text);
  return out;
}

}  // namespace berth::guest
