// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/first_failure.hpp>
#include <berth/network/network.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace berth {

namespace detail {

inline constexpr const char* network_lock_directory = "/run/berth";
inline constexpr const char* network_lock_file = "/run/berth/network.lock";

/// Where the address is kept that a pool gave last: as long as the connections that the kernel remembers, a boot.
inline std::string last_address_file(const ipv4_subnet& pool) {
  return std::string(network_lock_directory) + "/last-" + format_ipv4(pool.address) + "-" + std::to_string(pool.prefix);
}

/// Runs ip or nft with `input` on its stdin and gives its stdout.
inline boost::asio::awaitable<result<std::string>> run_network_tool(std::vector<std::string> argv, std::string input,
                                                                    time_point deadline) {
  const std::string program = argv.front();
  std::string shown = program;
  for (std::size_t i = 1; i < argv.size(); ++i) shown += " " + argv[i];
  spawn_options options;
  options.argv = std::move(argv);
  options.env = minimal_environment();
  stdio_options io;
  if (!input.empty()) {
    io.in = stdio_options::input::text;
    io.in_text = input;
  }
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done) {
    error e = std::move(done).error();
    if (e.code == errc::not_found) {
      e.layer = "network";
      e.message = program + " is not installed";
      e.hint = program == "nft" ? "install the package nftables" : "install the package iproute2";
    }
    co_return e;
  }
  if (!done->status.success()) {
    std::string said = done->err.empty() ? done->out : done->err;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    error e = make_error(errc::network_failed, "network", shown + " failed with " + done->status.to_string());
    const std::size_t end = said.find('\n');
    if (!said.empty()) e.message += ": " + said.substr(0, end);
    e.detail = end == std::string::npos ? "" : said;
    if (said.find("ermission denied") != std::string::npos || said.find("not permitted") != std::string::npos) {
      e.hint = "berth needs root, with CAP_NET_ADMIN and CAP_SYS_ADMIN";
    }
    if (!input.empty()) e.detail += (e.detail.empty() ? "" : "\n") + std::string("its input was:\n") + input;
    co_return e;
  }
  co_return std::move(done->out);
}

inline boost::asio::awaitable<result<void>> apply_rules(const network_plan& plan, time_point deadline) {
  std::vector<std::string> nft{"nft", "-f", "-"};
  std::string text = nft_ruleset(plan);
  auto done = co_await run_network_tool(std::move(nft), std::move(text), deadline);
  if (!done) co_return std::move(done).error();
  co_return result<void>();
}

inline boost::asio::awaitable<result<void>> set_up_inside(const network_plan& plan, time_point deadline) {
  std::vector<std::string> ip{"ip", "-netns", plan.names.netns, "-batch", "-"};
  std::string text = inside_batch(plan);
  auto running = run_network_tool(std::move(ip), std::move(text), deadline);
  auto done = co_await std::move(running);
  if (!done) co_return std::move(done).error();
  co_return result<void>();
}

inline boost::asio::awaitable<result<void>> make_links(const network_plan& plan, time_point deadline) {
  std::vector<std::string> outside{"ip", "-batch", "-"};
  std::string outside_text = host_batch(plan);
  BERTH_CO_TRY(co_await run_network_tool(std::move(outside), std::move(outside_text), deadline));
  auto inside = set_up_inside(plan, deadline);
  co_return co_await std::move(inside);
}

inline result<void> enable_forwarding(const log_sink& sink) {
  constexpr const char* path = "/proc/sys/net/ipv4/ip_forward";
  const std::string now = read_system_file(path);
  if (!now.empty() && now.front() == '1') return {};
  const unique_fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), "1\n", 2) != 2) {
    return errno_error(errno, "network", "cannot turn on IPv4 forwarding", path,
                       "set net.ipv4.ip_forward=1 on the host, or use a sandbox without network");
  }
  log(sink, log_level::info, "turned on IPv4 forwarding on this host", {{"sysctl", "net.ipv4.ip_forward=1"}});
  return {};
}

/// What comes back of a connection to a port of 127.0.0.1 arrives by the link, where the kernel takes loopback addresses for
/// forged unless it is told otherwise. What the sandbox itself sends there is dropped by the rules.
inline result<void> allow_loopback_over(const std::string& link) {
  const std::string path = "/proc/sys/net/ipv4/conf/" + link + "/route_localnet";
  const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), "1\n", 2) == 2) return {};
  return errno_error(errno, "network", "cannot let ports of 127.0.0.1 lead to the sandbox", path);
}

inline bool netns_exists(const network_names& names) {
  struct stat info {};
  return ::lstat(names.netns_path().c_str(), &info) == 0;
}

/// An error where it cannot be looked for: the question takes a socket.
inline result<bool> link_exists(const network_names& names) {
  if (::if_nametoindex(names.link.c_str()) != 0) return true;
  if (errno == ENODEV || errno == ENXIO) return false;
  return errno_error(errno, "network", "cannot look for the network link", names.link);
}

inline result<void> remove_netns(const network_names& names) {
  const std::string path = names.netns_path();
  // Detached: whoever still looks into the namespace keeps it alive until done, the name goes at once. A crash between the
  // file's making and the mount leaves a plain file (EINVAL).
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
    return errno_error(errno, "network", "cannot unmount the network namespace", path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return errno_error(errno, "network", "cannot remove the network namespace", path);
  }
  return {};
}

/// The tables of all families, `nft list tables` style; empty where nft is absent or does not work, which is logged. Not
/// having been able to run it is an error.
inline boost::asio::awaitable<result<std::string>> list_tables(time_point deadline, const log_sink& sink) {
  std::vector<std::string> nft{"nft", "list", "tables"};
  auto tables = co_await run_network_tool(std::move(nft), std::string(), deadline);
  if (tables) co_return tables;
  const errc code = tables.error().code;
  if (code != errc::not_found && code != errc::network_failed) co_return tables;
  if (code != errc::not_found) {
    log(sink, log_level::warn, "nft does not work on this host; rules that it may have are left alone",
        {{"error", tables.error().to_string()}});
  }
  co_return std::string();
}

inline boost::asio::awaitable<result<void>> remove_rules(const network_names& names, time_point deadline,
                                                         const log_sink& sink) {
  std::vector<std::string> nft{"nft", "-f", "-"};
  std::string text = nft_removal(names);
  auto removed = co_await run_network_tool(std::move(nft), std::move(text), deadline);
  if (removed) co_return result<void>();
  auto tables = co_await list_tables(deadline, sink);
  if (tables && tables->find(names.table) == std::string::npos) co_return result<void>();
  if (!tables) co_return std::move(tables).error();
  co_return std::move(removed).error();
}

inline void collect_token(std::string_view name, std::string_view kind, std::string_view prefix,
                          std::vector<std::string>& tokens) {
  if (!name.starts_with(kind)) return;
  name.remove_prefix(kind.size());
  if (name.starts_with(prefix)) tokens.emplace_back(name);
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<network_lock>> network_lock::acquire(time_point deadline) {
  if (::mkdir(detail::network_lock_directory, 0700) != 0 && errno != EEXIST) {
    co_return errno_error(errno, "network", "cannot make the lock's directory", detail::network_lock_directory,
                          "berth needs root");
  }
  unique_fd fd(::open(detail::network_lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    co_return errno_error(errno, "network", "cannot open the lock", detail::network_lock_file, "berth needs root");
  }
  // The file is never removed, so there is no inode to compare. Another coroutine of this very thread may hold it: a
  // blocking flock would never return.
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      co_return errno_error(errno, "network", "cannot take the lock", detail::network_lock_file);
    }
    if (clock::now() >= deadline) {
      co_return make_error(errc::timeout, "network", "another process holds the lock", detail::network_lock_file);
    }
    const milliseconds pause(2);
    if (!co_await pause_for(pause)) {
      co_return make_error(errc::cancelled, "network", "cancelled while waiting for the lock");
    }
  }
  co_return network_lock(std::move(fd));
}

BERTH_DECL result<network_plan> plan_network(std::string_view token, const ipv4_subnet& pool,
                                             std::vector<ipv4_subnet> also_used, std::vector<std::string> nameservers) {
  network_plan plan;
  plan.names = network_names::of(token);
  plan.pool = pool;
  plan.nameservers = std::move(nameservers);
  auto linked = detail::link_exists(plan.names);
  if (!linked) return std::move(linked).error();
  if (detail::netns_exists(plan.names) || *linked) {
    return make_error(errc::exists, "network", "the names of the network are taken", plan.names.link, "try again");
  }
  auto host = read_host_network();
  if (!host) return std::move(host).error();
  plan.mtu = host->mtu;
  plan.ipv6 = host->ipv6;
  for (const ipv4_subnet& subnet : host->used) {
    // A wider network around the whole pool (10.0.0.0/8 through a router) leaves nothing else: more specific routes win.
    if (subnet.prefix < pool.prefix) continue;
    also_used.push_back(subnet);
  }
  const std::string last_file = detail::last_address_file(pool);
  const std::string last = read_system_file(last_file, 64);
  auto subnet = allocate_subnet(pool, std::move(also_used), parse_ipv4(last));
  if (!subnet) return std::move(subnet).error();
  (void)replace_file(last_file, format_ipv4(subnet->address), 0600, "network");  // without it one is used again sooner
  plan.subnet = *subnet;
  return plan;
}

BERTH_DECL result<void> check_network_namespace(const std::string& path) {
  const auto refuse = [&path] {
    return make_error(errc::invalid, "network", "it is no network namespace", path,
                      "name one by /run/netns/NAME (ip netns add NAME) or /proc/PID/ns/net");
  };
  constexpr decltype(statfs::f_type) nsfs = 0x6e736673;
  // Not opened before it is known to be of the kernel's: a FIFO would be waited for, a device would do what it does.
  const unique_fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct statfs fs {};
  if (!place || ::fstatfs(place.get(), &fs) != 0) {
    return errno_error(errno, "network", "cannot open the network namespace", path, "make it first: ip netns add NAME");
  }
  if (fs.f_type != nsfs) return refuse();
  const unique_fd fd(::open(("/proc/self/fd/" + std::to_string(place.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error(errno, "network", "cannot open the network namespace", path);
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) return refuse();
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> create_network(network_plan plan, log_sink log, time_point deadline) {
  BERTH_CO_TRY(detail::enable_forwarding(log));
  // Side by side: the rules name the link, and nothing is in the namespace yet that could send.
  using namespace boost::asio::experimental::awaitable_operators;
  auto rules = detail::apply_rules(plan, deadline);
  auto links = detail::make_links(plan, deadline);
  // Each is a thread of its own to Asio, which throws upon a cancellation unless told not to.
  auto safe_rules = cancellation_as_error(std::move(rules));
  auto safe_links = cancellation_as_error(std::move(links));
  auto [ruled, linked] = co_await (std::move(safe_rules) && std::move(safe_links));
  if (!ruled) co_return std::move(ruled).error();
  if (!linked) co_return std::move(linked).error();
  for (const published_port& port : plan.ports)
    if (port.host_address == 0 || port.host_address >> 24 == 127) {
      BERTH_CO_TRY(detail::allow_loopback_over(plan.names.link));
      break;
    }
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> renew_addresses(network_names names, ipv4_subnet subnet,
                                                                time_point deadline) {
  network_plan plan;
  plan.names = std::move(names);
  plan.subnet = subnet;
  auto setting = detail::set_up_inside(plan, deadline);
  co_return co_await std::move(setting);
}

BERTH_DECL boost::asio::awaitable<result<void>> remove_network(network_names names, time_point deadline, log_sink log) {
  first_failure first;
  // The link by itself: with the namespace alone it would go too, but some time later.
  auto linked = detail::link_exists(names);
  if (!linked) {
    first.keep(std::move(linked).error());
  } else if (*linked) {
    std::vector<std::string> argv{"ip", "link", "del", "dev", names.link};
    auto removed = co_await detail::run_network_tool(std::move(argv), std::string(), deadline);
    const auto left = detail::link_exists(names);
    if (!removed && (!left || *left)) first.keep(std::move(removed).error());
  }
  first.keep(detail::remove_netns(names));
  first.keep(co_await detail::remove_rules(names, deadline, log));
  co_return first.take();
}

namespace detail {

inline boost::asio::awaitable<result<std::uint64_t>> read_nft_counter(network_names names, std::string_view counter,
                                                                      time_point deadline) {
  // Not `list counter`, for which nft 1.0.6 reads all tables of the host: 2.4 s beside 200 sandboxes, and this 8 ms.
  std::vector<std::string> nft{"nft", "--terse", "list", "table", "inet", names.table};
  auto text = co_await run_network_tool(std::move(nft), std::string(), deadline);
  if (!text) co_return std::move(text).error();
  const auto count = parse_nft_counter(*text, counter);
  if (!count) co_return make_error(errc::network_failed, "network", "nft printed no counter", names.table);
  co_return *count;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> count_refused_connections(network_names names,
                                                                                   time_point deadline) {
  return detail::read_nft_counter(std::move(names), refused_counter, deadline);
}

BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> count_refused_egress(network_names names,
                                                                              time_point deadline) {
  return detail::read_nft_counter(std::move(names), refused_egress_counter, deadline);
}

BERTH_DECL boost::asio::awaitable<result<egress_report>> report_egress(network_names names,
                                                                       std::vector<egress_name> named,
                                                                       time_point deadline) {
  std::vector<std::string> nft{"nft", "list", "table", "inet", names.table};
  auto text = co_await detail::run_network_tool(std::move(nft), std::string(), deadline);
  if (!text) co_return std::move(text).error();
  const auto refused = parse_nft_counter(*text, refused_egress_counter);
  if (!refused) co_return make_error(errc::network_failed, "network", "nft printed no counter", names.table);
  egress_report out;
  out.refused = *refused;
  out.places = parse_refused_places(*text);
  out.addresses = parse_named_addresses(*text, named);
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<void>> change_egress(network_names names, egress_policy policy,
                                                              egress_policy before, time_point deadline) {
  std::vector<std::string> nft{"nft", "-f", "-"};
  std::string text = nft_egress_change(names.table, names.link, policy, before);
  auto done = co_await detail::run_network_tool(std::move(nft), std::move(text), deadline);
  if (!done) co_return std::move(done).error();
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<std::vector<std::string>>> find_network_tokens(std::string prefix,
                                                                                        time_point deadline,
                                                                                        log_sink log) {
  std::vector<std::string> tokens;
  if (const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/run/netns"), &::closedir); dir) {
    while (const dirent* entry = ::readdir(dir.get())) {
      detail::collect_token(entry->d_name, "berth-", prefix, tokens);
    }
  } else if (errno != ENOENT) {
    co_return errno_error(errno, "network", "cannot look for network namespaces", "/run/netns");
  }
  struct if_nameindex* const list = ::if_nameindex();
  if (list == nullptr) co_return errno_error(errno, "network", "cannot look for network links");
  {
    for (const struct if_nameindex* entry = list; entry->if_index != 0; ++entry) {
      detail::collect_token(entry->if_name, "bv", prefix, tokens);
    }
    ::if_freenameindex(list);
  }
  auto tables = co_await detail::list_tables(deadline, log);
  if (!tables) co_return std::move(tables).error();
  std::string_view text = *tables;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    detail::collect_token(nft_table_name(line), "berth_", prefix, tokens);
  }
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  co_return tokens;
}

}  // namespace berth
