// SPDX-License-Identifier: Apache-2.0
// Spawn and wait of /bin/true from a host with 1 GB resident in 4 KiB pages: berth, by its own interface and by that of
// Boost.Process, beside posix_spawn, in turns; and Boost.Process with its default launcher, which forks.
#include <berth/process/launcher.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using microseconds = std::chrono::duration<double, std::micro>;

constexpr int rounds = 15;
constexpr int spawns_a_round = 200;

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

template <class Work>
double per_spawn(Work work, int count = spawns_a_round) {
  const auto start = std::chrono::steady_clock::now();
  work(count);
  return microseconds(std::chrono::steady_clock::now() - start).count() / count;
}

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::exit(2);
}

void by_posix_spawn(int count) {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  char* envp[] = {nullptr};
  for (int i = 0; i < count; ++i) {
    pid_t pid = 0;
    int status = 0;
    check(::posix_spawn(&pid, program, nullptr, nullptr, argv, envp) == 0, "posix_spawn");
    check(::waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
  }
}

void by_fork(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl("/bin/true", "/bin/true", nullptr);
      ::_exit(127);
    }
    int status = 0;
    check(::waitpid(pid, &status, 0) == pid && status == 0, "fork");
  }
}

void by_spawn(int count) {
  berth::spawn_options o;
  o.argv = {"/bin/true"};
  for (int i = 0; i < count; ++i) {
    auto c = berth::spawn(o);
    check(c.has_value(), "berth::spawn");
    siginfo_t info{};
    check(::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(c->pidfd.get()), &info, WEXITED) == 0 &&
              info.si_status == 0,
          "waitid");
  }
}

// As a user of Boost.Process does it, with its process, initializers and wait.
template <class Launcher>
void by_boost_process(Launcher start, int count) {
  namespace v2 = boost::process::v2;
  boost::asio::io_context loop(1);
  for (int i = 0; i < count; ++i) {
    v2::process p = start(loop.get_executor(), "/bin/true", std::vector<std::string>(), v2::process_start_dir("/"),
                          v2::process_stdio{nullptr, nullptr, nullptr});
    int code = -1;
    p.async_wait([&](boost::system::error_code ec, int how) { code = ec ? -1 : how; });
    loop.run();
    loop.restart();
    check(code == 0, "Boost.Process");
  }
}

boost::asio::awaitable<void> spawn_on_loop(int count, berth::stdio_options::output how) {
  for (int i = 0; i < count; ++i) {
    berth::spawn_options o;
    o.argv = {"/bin/true"};
    berth::stdio_options io;
    io.out = io.err = how;
    auto r = co_await berth::run_process(std::move(o), std::move(io));
    check(r && r->status.success(), "berth::run_process");
  }
}

void on_loop(int count, berth::stdio_options::output how) {
  boost::asio::io_context loop(1);
  boost::asio::co_spawn(loop, spawn_on_loop(count, how), [](std::exception_ptr e) { check(!e, "the loop"); });
  loop.run();
}

}  // namespace

int main() {
  constexpr std::size_t size = std::size_t{1} << 30;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory != MAP_FAILED && ::madvise(memory, size, MADV_NOHUGEPAGE) == 0, "mmap");
  for (std::size_t at = 0; at < size; at += 4096) static_cast<volatile char*>(memory)[at] = 1;

  std::vector<double> posix, spawn, boost_process, loop, captured;
  const auto by_our_launcher = [](int n) { by_boost_process(berth::launcher(), n); };
  const auto by_default_launcher = [](int n) { by_boost_process(boost::process::v2::posix::default_launcher(), n); };
  by_posix_spawn(20);
  by_spawn(20);
  by_our_launcher(20);
  for (int i = 0; i < rounds; ++i) {
    posix.push_back(per_spawn(by_posix_spawn));
    spawn.push_back(per_spawn(by_spawn));
    boost_process.push_back(per_spawn(by_our_launcher));
    loop.push_back(per_spawn([](int n) { on_loop(n, berth::stdio_options::output::null); }));
    captured.push_back(per_spawn([](int n) { on_loop(n, berth::stdio_options::output::capture); }));
  }
  const auto ratio_to_posix = [&](const std::vector<double>& v) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < v.size(); ++i) ratios.push_back(v[i] / posix[i]);
    return median(std::move(ratios));
  };
  std::printf("posix_spawn + waitpid: %.0f us\n", median(posix));
  std::printf("fork + exec + waitpid: %.0f us\n", per_spawn(by_fork, 20));
  std::printf("Boost.Process, its default launcher: %.0f us\n", per_spawn(by_default_launcher, 20));
  std::printf("Boost.Process, berth's launcher: %.0f us\n", median(boost_process));
  std::printf("spawn + waitid: %.0f us\n", median(spawn));
  std::printf("run_process on a loop, no output: %.0f us\n", median(loop));
  std::printf("run_process on a loop, both streams captured: %.0f us, %.2f times posix_spawn\n", median(captured),
              ratio_to_posix(captured));
  bool good = true;
  const auto gate = [&](const char* name, const std::vector<double>& v) {
    const double r = ratio_to_posix(v);
    good = good && r <= 1.3;
    std::printf("%s against posix_spawn: %.2f (target at most 1.3) %s\n", name, r, r <= 1.3 ? "ok" : "MISSED");
  };
  gate("spawn + waitid", spawn);
  gate("Boost.Process, berth's launcher", boost_process);
  gate("run_process on a loop", loop);
  return good ? 0 : 1;
}
