#pragma once

#include <berth/base/file.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/sandbox.hpp>

namespace berth::detail {

inline constexpr const char* init_inside = "/.berth/init";

BERTH_DECL std::string hosts_file(const sandbox_record& record) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  text += (record.net ? record.net->address() : std::string("127.0.1.1")) + "\t" + record.hostname + "\n";
  return text;
}

BERTH_DECL result<spec_builder> sandbox_spec(const sandbox_record& record, const sandbox_config& what,
                                             const std::string& init, bool resolver) {
  minimal_spec_options options;
  options.args = {init_inside};
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
  options.mounts.push_back(berth::bind_mount(record.bundle() + "/hosts", "/etc/hosts", true));
  options.mounts.push_back(berth::bind_mount(record.bundle() + "/hostname", "/etc/hostname", true));
  if (resolver) options.mounts.push_back(berth::bind_mount(record.bundle() + "/resolv.conf", "/etc/resolv.conf", true));
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
  return spec;
}

BERTH_DECL result<void> write_bundle(const sandbox_record& record, const sandbox_config& what, const std::string& init,
                                     const resolver_config& resolver) {
  // Readable inside by everybody; the bundle's parent is closed to others on the host.
  BERTH_TRY(replace_file(record.bundle() + "/hosts", hosts_file(record), 0644, "sandbox"));
  BERTH_TRY(replace_file(record.bundle() + "/hostname", record.hostname + "\n", 0644, "sandbox"));
  const bool names = record.network != network_mode::none;
  if (names) BERTH_TRY(replace_file(record.bundle() + "/resolv.conf", resolver.text, 0644, "sandbox"));
  auto spec = sandbox_spec(record, what, init, names);
  if (!spec) return std::move(spec).error();
  // Not synced, as the record: nothing of the sandbox outlives a power failure.
  return replace_file(record.bundle() + "/config.json", spec->to_pretty_json(), 0600, "sandbox");
}

}  // namespace berth::detail
