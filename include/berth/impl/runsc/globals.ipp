// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/runsc/arg_builder.ipp>
#include <berth/runsc/globals.hpp>

namespace berth {
namespace detail {

inline std::string_view runsc_network_name(runsc_network network) {
  switch (network) {
    case runsc_network::sandbox: return "sandbox";
    case runsc_network::none: return "none";
    case runsc_network::host: return "host";
  }
  return {};
}

inline std::string_view runsc_host_uds_name(runsc_host_uds access) {
  switch (access) {
    case runsc_host_uds::none: return "none";
    case runsc_host_uds::open: return "open";
    case runsc_host_uds::create: return "create";
    case runsc_host_uds::all: return "all";
  }
  return {};
}

inline std::string_view runsc_log_format_name(runsc_log_format format) {
  switch (format) {
    case runsc_log_format::text: return "text";
    case runsc_log_format::json: return "json";
    case runsc_log_format::json_k8s: return "json-k8s";
  }
  return {};
}

/// Appends the global options. `starts` is true for the verbs that start sandbox processes.
inline void append_globals(runsc_arg_builder& args, const runsc_globals& g, bool starts) {
  args.path("root", g.root, true);
  if (!g.debug_log.empty() || starts) {
    // With a slash at its end runsc takes it for a directory, and gives each command a file of its own.
    const bool slash = !g.debug_log.empty() && g.debug_log.back() == '/';
    args.path("debug-log", g.debug_log.empty() || slash ? g.debug_log : g.debug_log + "/", true);
  }
  args.path("log", g.log);
  if (g.log_format) args.emit("log-format", runsc_log_format_name(*g.log_format));
  args.on("debug", g.debug);
  args.text("platform", g.platform);
  if (g.network) args.emit("network", runsc_network_name(*g.network));
  args.on("net-raw", g.net_raw);
  if (g.packet_socket_write) {
    const std::string_view name = args.binary().packet_write_flag();
    args.on(name.empty() ? std::string_view("allow-packet-socket-write") : name, true);
  }
  if (g.host_uds) args.emit("host-uds", runsc_host_uds_name(*g.host_uds));
  args.text("overlay2", g.overlay2);
  if (g.file_access) args.emit("file-access", *g.file_access == runsc_file_access::exclusive ? "exclusive" : "shared");
  args.maybe("directfs", g.directfs);
  args.number("dcache", g.dcache);
  args.number("fdlimit", g.fdlimit);
  args.maybe("ignore-cgroups", g.ignore_cgroups);
  args.maybe("systemd-cgroup", g.systemd_cgroup);
  args.maybe("rootless", g.rootless);
  args.maybe("oci-seccomp", g.oci_seccomp);
  args.maybe("allow-suid", g.allow_suid);
  args.maybe("gso", g.gso);
  args.maybe("software-gso", g.software_gso);
  args.maybe("mount-cgroup-v2", g.mount_cgroup_v2);
  args.maybe("allow-connected-on-save", g.allow_connected_on_save);
  args.extra(g.extra_args);
}

}  // namespace detail

BERTH_DECL result<runsc_argv> runsc_globals_argv(const runsc_binary& binary, const runsc_globals& globals) {
  detail::runsc_arg_builder args(binary);
  detail::append_globals(args, globals, false);
  return std::move(args).take();
}

}  // namespace berth
