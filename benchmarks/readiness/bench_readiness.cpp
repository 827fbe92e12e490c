// SPDX-License-Identifier: Apache-2.0
// bench_readiness poller DIRECTORY     10,000 polls of 1 s period on one thread; prints memory, CPU a poll, polls lost
// bench_readiness serve SOCKET         a server for the next
// bench_readiness ping SOCKET COUNT    asks /_ping, each time on a new connection; prints the median in nanoseconds
#include <berth/readiness/poll.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;

void check(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(2);
}

berth::unique_fd listen_at(const std::string& path, int backlog) {
  berth::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  check(path.size() < sizeof a.sun_path, "socket path");
  std::memcpy(a.sun_path, path.c_str(), path.size());
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0 && ::listen(fd.get(), backlog) == 0,
        "listen");
  return fd;
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  long total = 0;
  long resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double cpu_us() {
  rusage u{};
  ::getrusage(RUSAGE_THREAD, &u);
  return 1e6 * static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

// Each poll has a probe and a path of its own; a hundred polls share a socket. For 6 s no socket is there, then all are.
int poller(const std::string& directory) {
  constexpr int polls = 10000;
  constexpr int sockets = 100;
  asio::io_context loop(1);
  asio::steady_timer appear(loop, std::chrono::seconds(6));
  std::vector<berth::unique_fd> listeners;
  std::uint64_t asked = 0;
  std::uint64_t asked_before = 0;
  double cpu_of_waiting = 0;
  double peak = 0;
  appear.async_wait([&](boost::system::error_code) {
    cpu_of_waiting = cpu_us();
    asked_before = asked;
    peak = resident_mib();
    for (int i = 0; i < sockets; ++i) listeners.push_back(listen_at(directory + "/s" + std::to_string(i), 1024));
  });

  const double before = resident_mib();
  const double cpu_before = cpu_us();
  int ready = 0;
  std::uint32_t fewest = ~0U;
  std::vector<std::unique_ptr<berth::probe>> probes;
  for (int i = 0; i < polls; ++i) {
    berth::socket_address where;
    where.unix_path = directory + "/s" + std::to_string(i % sockets);
    where.guarded = true;
    probes.push_back(berth::make_connect_probe(std::move(where)));
    berth::poll_options o;
    o.schedule = {std::chrono::seconds(1), std::chrono::seconds(1), 1.0, 0.1, std::chrono::seconds(2)};
    o.deadline = berth::deadline_after(std::chrono::seconds(20));
    o.on_attempt = [&asked](std::uint32_t, const berth::probe_outcome&) { ++asked; };
    asio::co_spawn(loop, berth::poll_until_ready(*probes.back(), std::move(o)),
                   [&](std::exception_ptr e, berth::poll_result r) {
                     check(!e, "poll");
                     if (r.ready()) ++ready;
                     fewest = std::min(fewest, r.attempts);
                   });
  }
  loop.run();
  for (int i = 0; i < sockets; ++i) ::unlink((directory + "/s" + std::to_string(i)).c_str());
  // 6 s of at most 1 s each: six askings in vain and the one that is answered.
  std::printf("%.2f %.2f %d %u %llu\n", peak - before,
              (cpu_of_waiting - cpu_before) / static_cast<double>(asked_before), polls - ready, fewest,
              static_cast<unsigned long long>(asked));
  return 0;
}

int serve(const std::string& path) {
  const auto listener = listen_at(path, 1024);
  static const char answer[] =
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nCache-Control: no-cache\r\nContent-Length: 2\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nOK";
  while (true) {
    berth::unique_fd c(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char request[4096];
    if (c && ::read(c.get(), request, sizeof request) > 0) {
      (void)!::send(c.get(), answer, sizeof answer - 1, MSG_NOSIGNAL);
    }
  }
}

asio::awaitable<void> ask_often(berth::probe& p, int count, std::vector<double>& took) {
  for (int i = 0; i < count; ++i) {
    berth::poll_options o;
    o.deadline = berth::deadline_after(std::chrono::seconds(20));
    const auto start = berth::clock::now();
    const auto r = co_await berth::poll_until_ready(p, std::move(o));
    took.push_back(static_cast<double>((berth::clock::now() - start).count()));
    check(r.ready() && r.attempts == 1, "ping");
  }
}

int ping(const std::string& path, int count) {
  asio::io_context loop(1);
  berth::socket_address where;
  where.unix_path = path;
  where.guarded = true;
  auto p = berth::make_http_probe(where, "/_ping", [](std::string_view body) { return body == "OK"; });
  std::vector<double> took;
  asio::co_spawn(loop, ask_often(*p, count, took), [](std::exception_ptr e) { check(!e, "ping"); });
  loop.run();
  std::nth_element(took.begin(), took.begin() + count / 2, took.end());
  std::printf("%.0f\n", took[static_cast<std::size_t>(count / 2)]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "poller") return poller(argv[2]);
  if (what == "serve") return serve(argv[2]);
  if (what == "ping" && argc > 3 && std::atoi(argv[3]) > 0) return ping(argv[2], std::atoi(argv[3]));
  std::fprintf(stderr, "usage: bench_readiness poller DIRECTORY | serve SOCKET | ping SOCKET COUNT\n");
  return 2;
}
