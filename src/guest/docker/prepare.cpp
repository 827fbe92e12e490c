// SPDX-License-Identifier: Apache-2.0
#include "prepare.hpp"

#include "base/real_program.hpp"
#include "runtime/runtime.hpp"

#include <berth/base/file.hpp>

#include <linux/limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace berth::guest {
namespace {

int fail(const std::string& what) {
  (void)write_all(2, "berth-init: " + what + "\n");
  return 1;
}

int put_in_place(std::string_view runc, bool unmask) {
  char self[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return fail(std::string("cannot read /proc/self/exe: ") + std::strerror(errno));
  self[n] = '\0';
  for (const char* directory : {runtime_directory, runtime_path})
    if (::mkdir(directory, 0755) != 0 && errno != EEXIST)
      return fail(std::string("cannot make ") + directory + ": " + std::strerror(errno));
  auto written =
      replace_file(runtime_settings, "runc " + std::string(runc) + (unmask ? "\nunmask\n" : "\n"), 0644, "runtime");
  if (!written) return fail(written.error().to_string());
  for (const char* name : {"runc", "containerd"}) {
    if (name == std::string_view("containerd") && find_real_program(name).empty()) continue;
    // Beside it and then there, so that a runc is on the path at every moment: containers of before may be running.
    const std::string link = std::string(runtime_path) + "/" + name, beside = link + ".new";
    (void)::unlink(beside.c_str());
    if (::symlink(self, beside.c_str()) != 0 || ::rename(beside.c_str(), link.c_str()) != 0)
      return fail("cannot make " + link + ": " + std::strerror(errno));
  }
  return 0;
}

}  // namespace

int prepare_for_docker(std::string_view runc, bool unmask) {
  // dockerd refuses `-v /:/host:rslave` where / is not shared, and gVisor makes it private. It is no reason not to start.
  if (::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr) != 0)
    (void)fail(std::string("cannot make / a shared mount: ") + std::strerror(errno));
  return runc.empty() ? 0 : put_in_place(runc, unmask);
}

}  // namespace berth::guest
