// SPDX-License-Identifier: Apache-2.0
#include "nested_spec.hpp"

#include <berth/base/file.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace berth::guest {
namespace {

// Of which a container may be given one: runc must hold it, and the bounding set lets it pass.
std::uint64_t capabilities_to_hand_on() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return UINT64_MAX;  // then runc says what it lacks
  std::uint64_t ours = data[0].permitted | std::uint64_t{data[1].permitted} << 32;
  for (unsigned number = 0; number < 64; ++number)
    if ((ours >> number & 1) != 0 && ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
      ours &= ~(std::uint64_t{1} << number);
  return ours;
}

std::uint64_t hard_limit(std::string_view type) {
  static constexpr struct {
    std::string_view name;
    __rlimit_resource_t number;
  } limits[] = {{"RLIMIT_AS", RLIMIT_AS},         {"RLIMIT_CORE", RLIMIT_CORE},   {"RLIMIT_CPU", RLIMIT_CPU},
                {"RLIMIT_DATA", RLIMIT_DATA},     {"RLIMIT_FSIZE", RLIMIT_FSIZE}, {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                {"RLIMIT_NOFILE", RLIMIT_NOFILE}, {"RLIMIT_NPROC", RLIMIT_NPROC}, {"RLIMIT_RSS", RLIMIT_RSS},
                {"RLIMIT_STACK", RLIMIT_STACK}};
  for (const auto& limit : limits) {
    struct rlimit now {};
    if (limit.name == type && ::getrlimit(limit.number, &now) == 0)
      return now.rlim_max == RLIM_INFINITY ? UINT64_MAX : std::uint64_t{now.rlim_max};
  }
  return UINT64_MAX;
}

std::optional<kernel_parameter> parameter(std::string_view name) {
  std::string path = "/proc/sys/";
  std::transform(name.begin(), name.end(), std::back_inserter(path), [](char c) { return c == '.' ? '/' : c; });
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  // The one that gVisor lets be written though its mode says otherwise.
  const bool writable = (info.st_mode & 0222) != 0 || name == "net.ipv4.ip_forward";
  return kernel_parameter{read_system_file(path, 4096), writable};
}

}  // namespace

sandbox_powers powers_of_this_sandbox() {
  sandbox_powers out;
  out.capabilities = capabilities_to_hand_on();
  out.is_directory = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  };
  out.limits_processes = asks_for_each_fork(read_system_file("/proc/cgroups"));
  out.hard_limit = hard_limit;
  out.parameter = parameter;
  return out;
}

}  // namespace berth::guest
