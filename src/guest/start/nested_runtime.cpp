// SPDX-License-Identifier: Apache-2.0
#include "start/nested_runtime.hpp"

#include "base/real_program.hpp"
#include "runtime/runtime.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace berth::guest {
namespace {

using runtime = docker_start_arguments::runtime;

// Programs of Docker's that this one stands before, under their names (main.cpp).
constexpr const char* before_docker[] = {"runc", "containerd", "docker-proxy"};

std::string put_links_in_place(std::string_view runc, bool unmask) {
  char self[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return std::string("cannot read /proc/self/exe: ") + std::strerror(errno);
  self[n] = '\0';
  auto written =
      replace_file(runtime_settings, "runc " + std::string(runc) + (unmask ? "\nunmask\n" : "\n"), 0644, "runtime");
  if (!written) return written.error().to_string();
  for (const char* name : before_docker) {
    if (name != std::string_view("runc") && find_real_program(name).empty()) continue;
    // Beside it and then there, so that a runc is on the path at every moment: containers of before may be running.
    const std::string link = std::string(runtime_path) + "/" + name, beside = link + ".new";
    (void)::unlink(beside.c_str());
    if (::symlink(self, beside.c_str()) != 0 || ::rename(beside.c_str(), link.c_str()) != 0)
      return "cannot make " + link + ": " + std::strerror(errno);
  }
  return {};
}

}  // namespace

std::string put_runtime_in_place(runtime which, const start_markers& tell) {
  // dockerd refuses `-v /:/host:rslave` where / is not shared, and gVisor makes it private. It is no reason not to start.
  if (::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr) != 0)
    tell.warn(std::string("cannot make / a shared mount: ") + std::strerror(errno));
  if (which == runtime::plain) {
    // runc makes a keyring for each container, which gVisor never frees; the nested runtime has it make none.
    const unique_fd limit(::open("/proc/sys/kernel/keys/maxkeys", O_WRONLY | O_CLOEXEC));
    (void)!::write(limit.get(), "2147483647\n", 11);
    for (const char* name : before_docker) (void)::unlink((std::string(runtime_path) + "/" + name).c_str());
    return {};
  }
  const std::string runc = find_real_program("runc");
  if (runc.empty()) {
    tell.warn("no runc on PATH: nothing is put before it");
    return {};
  }
  return put_links_in_place(runc, which == runtime::unmasking);
}

}  // namespace berth::guest
