// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/env.hpp>
#include <berth/spec/hostname.hpp>
#include <berth/spec/minimal_spec.hpp>
#include <berth/spec/namespaces.hpp>
#include <berth/spec/process.hpp>
#include <berth/spec/resources.hpp>
#include <berth/spec/rlimits.hpp>
#include <berth/spec/root.hpp>

namespace berth {
namespace detail {

inline result<void> fill_minimal_spec(spec_builder& spec, const minimal_spec_options& o) {
  spec_process process(spec);
  BERTH_TRY(process.set_terminal(o.terminal));
  BERTH_TRY(process.set_user(o.uid, o.gid));
  BERTH_TRY(process.set_args(o.args));
  spec_env env(spec);
  BERTH_TRY(env.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
  for (const std::string& entry : o.env) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos)
      return make_error(errc::invalid, "spec", "an environment entry has no `=`", "/process/env", "give NAME=value");
    BERTH_TRY(env.set(std::string_view(entry).substr(0, equals), std::string_view(entry).substr(equals + 1)));
  }
  BERTH_TRY(process.set_cwd(o.cwd));

  // Docker's default set: what images expect to have, and no more.
  static constexpr std::string_view usual[] = {
      "CHOWN",  "DAC_OVERRIDE", "FSETID",  "FOWNER",           "MKNOD",      "NET_RAW", "SETGID",
      "SETUID", "SETFCAP",      "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL",    "AUDIT_WRITE"};
  const std::vector<std::string_view> chosen(o.capabilities.begin(), o.capabilities.end());
  spec_capabilities capabilities(spec);
  if (chosen.empty()) {
    BERTH_TRY(capabilities.set(usual));
  } else {
    BERTH_TRY(capabilities.set(chosen));
  }
  BERTH_TRY(spec_rlimits(spec).set({"RLIMIT_NOFILE", 1048576, 1048576}));

  spec_root root(spec);
  BERTH_TRY(root.set_path(o.rootfs));
  BERTH_TRY(root.set_readonly(o.readonly_root));
  if (!o.hostname.empty()) BERTH_TRY(spec_hostname(spec).set(o.hostname));

  const spec_mount usual_mounts[] = {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
  };
  spec_mounts mounts(spec);
  for (const spec_mount& mount : usual_mounts) BERTH_TRY(mounts.set(mount));
  for (const spec_mount& mount : o.mounts) BERTH_TRY(mounts.set(mount));

  spec_resources resources(spec);
  if (o.memory_bytes) BERTH_TRY(resources.set_memory_limit(*o.memory_bytes));
  if (o.cpus) BERTH_TRY(resources.set_cpus(*o.cpus));
  if (!o.cgroups_path.empty()) BERTH_TRY(resources.set_cgroups_path(o.cgroups_path));

  spec_namespaces namespaces(spec);
  for (const char* type : {"pid", "ipc", "uts", "mount"}) BERTH_TRY(namespaces.set({type, {}}));
  return namespaces.set({"network", o.network_namespace});
}

}  // namespace detail

BERTH_DECL result<spec_builder> minimal_spec(const minimal_spec_options& options) {
  try {
    spec_builder spec;
    BERTH_TRY(spec.apply([&](spec_builder& s) { return detail::fill_minimal_spec(s, options); }));
    return spec;
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  }
}

}  // namespace berth
