#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace berth::detail {

BERTH_DECL result<std::string> run_blocking(const std::vector<std::string>& argv) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "sandbox", "cannot make a pipe");
  const unique_fd reader(ends[0]);
  unique_fd writer(ends[1]);
  spawn_options options;
  options.argv = argv;
  options.env = minimal_environment();
  options.fds = {{writer.get(), 1}, {writer.get(), 2}};
  auto started = spawn(options);
  if (!started) return std::move(started).error();
  writer.reset();

  const time_point deadline = clock::now() + seconds(30);
  const auto left = [&] {
    return static_cast<int>(std::max<long>(0, std::chrono::duration_cast<milliseconds>(deadline - clock::now()).count()));
  };
  std::string text;
  bool late = false;
  for (char buffer[8192];;) {
    pollfd wait{reader.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, left());
    if (ready < 0 && errno == EINTR) continue;
    late = ready == 0;
    if (ready <= 0) break;
    const ssize_t n = ::read(reader.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (text.size() < (1u << 20)) text.append(buffer, static_cast<std::size_t>(n));
  }
  if (late) (void)signal_pidfd(started->pidfd.get(), SIGKILL);
  for (;;) {
    pollfd wait{started->pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, late ? -1 : left());
    if (ready < 0 && errno == EINTR) continue;
    if (ready > 0) break;
    late = true;
    (void)signal_pidfd(started->pidfd.get(), SIGKILL);
  }
  auto status = child_status(started->pidfd.get(), reap_mode::take);
  if (late) {
    return make_error(errc::timeout, "sandbox", "the program did not end within 30 s and was killed", argv.front());
  }
  if (!status) return std::move(status).error();
  if (!*status || !(*status)->success()) {
    error e = make_error(errc::runsc_failed, "sandbox",
                         "the program failed with " + (*status ? (*status)->to_string() : std::string("no status")),
                         argv.front());
    e.detail = text.substr(0, 4096);
    return e;
  }
  return text;
}

BERTH_DECL result<runsc_binary> find_sandbox_runsc(const environment& where, const std::string& root) {
  return runsc_binary::probe(where.runsc, &run_blocking, root + "/.cache");
}

BERTH_DECL runsc_client runsc_client::of(runsc_binary binary, const sandbox_record& record) {
  runsc_client client{std::move(binary), {}, record.container_id()};
  client.globals.root = record.runsc_root();
  return client;
}

BERTH_DECL boost::asio::awaitable<result<std::string>> run_runsc(runsc_argv argv, time_point deadline) {
  spawn_options options;
  options.argv = std::move(argv);
  options.env = minimal_environment();
  stdio_options io;  // named: g++ 12 destroys a braced temporary in a co_await expression twice
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done) co_return std::move(done).error();
  if (!done->status.success()) {
    std::string said = done->err.empty() ? done->out : done->err;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    error e = make_error(errc::runsc_failed, "sandbox", "runsc failed with " + done->status.to_string());
    if (!said.empty()) e.message += ": " + said.substr(0, said.find('\n'));
    e.detail = said;
    co_return e;
  }
  co_return std::move(done->out);
}

}  // namespace berth::detail
