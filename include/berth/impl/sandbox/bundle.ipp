// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/rooted.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace berth::detail {

BERTH_DECL std::string hosts_file(const sandbox_record& record) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  text += (record.net ? record.net->address() : std::string("127.0.1.1")) + "\t" + record.hostname + "\n";
  return text;
}

BERTH_DECL std::vector<etc_file> etc_files(const sandbox_record& record, const resolver_config& resolver) {
  std::vector<etc_file> files = {{"hosts", hosts_file(record)}, {"hostname", record.hostname + "\n"}};
  if (record.network != network_mode::none) files.push_back({"resolv.conf", resolver.text});
  return files;
}

BERTH_DECL result<bool> write_etc(const std::string& root, const std::vector<etc_file>& files) {
  auto inside = rooted::open(root, "sandbox");
  if (!inside) return std::move(inside).error();
  unique_fd etc = inside->open_inside("/etc", O_PATH | O_DIRECTORY);
  if (!etc && errno == ENOENT) {
    const unique_fd top = inside->open_inside("/", O_PATH | O_DIRECTORY);
    if (top && ::mkdirat(top.get(), "etc", 0755) == 0) etc = inside->open_inside("/etc", O_PATH | O_DIRECTORY);
  }
  if (!etc) return false;
  for (const etc_file& file : files) {
    // What is there may be a link to anywhere, as resolv.conf often is.
    struct stat there {};
    if (::fstatat(etc.get(), file.name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        ::unlinkat(etc.get(), file.name, S_ISDIR(there.st_mode) ? AT_REMOVEDIR : 0) != 0) {
      return errno_error(errno, "sandbox", "cannot replace a file of the root file system",
                         std::string("/etc/") + file.name);
    }
    const unique_fd fd(::openat(etc.get(), file.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd || ::fchmod(fd.get(), 0644) != 0 || (errno = write_all(fd.get(), file.text)) != 0) {
      return errno_error(errno, "sandbox", "cannot write a file of the root file system",
                         std::string("/etc/") + file.name);
    }
  }
  return true;
}

BERTH_DECL result<spec_builder> sandbox_spec(const sandbox_record& record, const sandbox_config& what,
                                             const std::string& init, const std::vector<etc_file>& bound) {
  minimal_spec_options options;
  options.args = {init_inside};
  if (record.guest != 0) {
    options.args.insert(options.args.end(),
                        {"--socket", std::string(sandbox::shared_inside) + "/" + std::string(guest_socket_name)});
  }
  options.env = what.env;
  options.cwd = what.cwd;
  options.rootfs = what.rootfs;
  options.hostname = record.hostname;
  if (record.network == network_mode::sandbox) options.network_namespace = record.names().netns_path();
  if (record.network == network_mode::path) options.network_namespace = record.network_path;
  if (record.cpus > 0) options.cpus = record.cpus;
  if (record.memory_bytes > 0) options.memory_bytes = static_cast<std::int64_t>(record.memory_bytes);
  if (record.has_limits()) options.cgroups_path = record.cgroups_path();

  options.mounts.push_back(berth::bind_mount(init, init_inside, true));
  for (const etc_file& file : bound) {
    options.mounts.push_back(
        berth::bind_mount(record.bundle() + "/" + file.name, std::string("/etc/") + file.name, true));
  }
  if (record.shared_directory) {
    spec_mount shared = berth::bind_mount(record.shared(), std::string(sandbox::shared_inside));
    for (const char* option : {"nosuid", "nodev", "noexec"}) shared.options.emplace_back(option);
    options.mounts.push_back(std::move(shared));
  }
  for (const sandbox_mount& mount : what.mounts) {
    options.mounts.push_back(berth::bind_mount(mount.source, mount.destination, mount.read_only));
  }
  auto spec = minimal_spec(options);
  if (!spec) return spec;
  spec_annotations annotations(*spec);
  BERTH_TRY(annotations.set("dev.berth.id", record.id));
  if (what.edit_spec) BERTH_TRY(what.edit_spec(*spec));
  if (what.disk) {
    spec_mounts mounts(*spec);
    for (spec_mount mount : mounts.list()) {
      if (mount.type != "bind" || mount.source != what.disk->file) continue;
      mount.source = record.disk_mount() + "/" + what.disk->directory;
      BERTH_TRY(mounts.set(mount));
    }
  }
  return spec;
}

BERTH_DECL result<spec_builder> restored_spec(const sandbox_record& record, const sandbox_config& what,
                                              const std::vector<etc_file>& bound) {
  const sandbox_image& image = *what.restore_from;
  auto spec = spec_builder::load(image.spec);
  if (!spec) return spec;
  BERTH_TRY(spec_root(*spec).set_path(what.rootfs));
  BERTH_TRY(spec_hostname(*spec).set(record.hostname));
  spec_namespaces namespaces(*spec);
  if (record.network == network_mode::sandbox) BERTH_TRY(namespaces.set({"network", record.names().netns_path()}));
  if (record.network == network_mode::path) BERTH_TRY(namespaces.set({"network", record.network_path}));
  spec_resources resources(*spec);
  if (record.has_limits()) BERTH_TRY(resources.set_cgroups_path(record.cgroups_path()));
  // What is berth's own moves; gVisor wants the same mounts with the same options, from wherever (20260701.0).
  spec_mounts mounts(*spec);
  const auto move = [&mounts](const std::string& destination, const std::string& source) -> result<void> {
    auto mount = mounts.get(destination);
    if (!mount) return {};
    mount->source = source;
    return mounts.set(*mount);
  };
  // Its own: the snapshot may be removed, and this one be saved in its turn.
  const std::string own_init = record.bundle() + "/init";
  if (::link(image.init.c_str(), own_init.c_str()) != 0) {
    std::error_code failed;
    std::filesystem::copy_file(image.init, own_init, failed);
    if (failed) return errno_error(failed.value(), "sandbox", "cannot copy the guest of the snapshot", image.init);
  }
  BERTH_TRY(move(init_inside, own_init));
  BERTH_TRY(move(std::string(sandbox::shared_inside), record.shared()));
  for (const etc_file& file : bound)
    BERTH_TRY(move(std::string("/etc/") + file.name, record.bundle() + "/" + file.name));
  for (const saved_directory& saved : image.directories)
    BERTH_TRY(move(saved.inside, record.directory + "/" + saved.own));
  spec_annotations annotations(*spec);
  BERTH_TRY(annotations.set("dev.berth.id", record.id));
  return spec;
}

BERTH_DECL result<void> write_bundle(const sandbox_record& record, const sandbox_config& what, const std::string& init,
                                     const resolver_config& resolver) {
  // Readable inside by everybody; the bundle's parent is closed to others on the host.
  std::vector<etc_file> files = etc_files(record, resolver);
  for (const etc_file& file : files) {
    BERTH_TRY(replace_file(record.bundle() + "/" + file.name, file.text, 0644, "sandbox"));
  }
  if (what.rootfs == record.root()) {
    auto written = write_etc(what.rootfs, files);
    if (!written) return std::move(written).error();
    if (*written) files.clear();
  }
  auto spec = what.restore_from ? restored_spec(record, what, files) : sandbox_spec(record, what, init, files);
  if (!spec) return std::move(spec).error();
  // Not synced, as the record: nothing of the sandbox outlives a power failure.
  return replace_file(record.bundle() + "/config.json", spec->to_pretty_json(), 0600, "sandbox");
}

}  // namespace berth::detail
