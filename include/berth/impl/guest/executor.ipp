// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/guest/detail/connect.hpp>
#include <berth/guest/detail/session.hpp>
#include <berth/guest/executor.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/readiness/guarded_socket.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace berth {

namespace detail {

class guest_session_command final : public guest_command {
 public:
  explicit guest_session_command(std::shared_ptr<guest_session> session) : session_(std::move(session)) {}
  guest_session_command(const guest_session_command&) = delete;
  guest_session_command& operator=(const guest_session_command&) = delete;
  ~guest_session_command() override { session_->abandon(); }

  boost::asio::awaitable<result<exit_status>> wait(time_point deadline) override {
    const auto session = session_;
    auto reached = co_await session->reach(guest_session::milestone::finished, deadline);
    if (!reached) co_return std::move(reached).error();
    co_return *session->outcome();
  }
  boost::asio::awaitable<result<void>> signal(int signo) override { co_return session_->signal(signo); }
  boost::asio::awaitable<result<void>> write(std::string_view data) override { return session_->write(data); }
  void close_stdin() override { session_->end_input(); }
  std::string output(output_stream which) const override { return session_->output(which); }
  std::optional<exit_status> status() const override {
    const auto& outcome = session_->outcome();
    return outcome && *outcome ? std::optional<exit_status>(**outcome) : std::nullopt;
  }
  pid_t pid() const override { return session_->pid(); }
  void resize(guest_terminal_size size) override { session_->resize(size); }

 private:
  std::shared_ptr<guest_session> session_;
};

inline boost::asio::awaitable<guest_attempt> launch_by_guest(std::function<result<unique_fd>()> connect,
                                                             guest_start what, stdio_options io, duration patience,
                                                             duration start_patience) {
  guest_attempt out;
  const time_point deadline = deadline_after(patience);
  std::string request;
  append_guest_frame(request, guest_frame_kind::start, encode(what));
  if (request.size() > guest_request_limit) {
    out.failed = make_error(errc::too_big, "guest",
                            "the command's arguments and environment have " + std::to_string(request.size()) +
                                " bytes, and " + std::to_string(guest_request_limit) + " are the most",
                            "argv", "hand large data to the command on its stdin");
    co_return out;
  }
  auto connecting = connect_to_guest(std::move(connect), deadline);
  auto socket = co_await std::move(connecting);
  if (!socket) {
    out.failed = std::move(socket).error();
    co_return out;
  }
  auto loop = co_await boost::asio::this_coro::executor;
  auto session = std::make_shared<guest_session>(loop, std::move(io));
  auto begun = session->begin(std::move(*socket), std::move(request));
  if (!begun) {
    out.failed = std::move(begun).error();
    session->abandon();
    co_return out;
  }
  auto reached = co_await session->reach(guest_session::milestone::asked_or_over, deadline);
  out.asked = session->asked();
  if (reached) {
    const time_point start_by = deadline_after(start_patience);
    reached = co_await session->reach(guest_session::milestone::started_or_over, start_by);
  }
  if (!reached) {
    out.failed = std::move(reached).error();
    if (out.failed.code == errc::timeout) out.failed.message = "the sandbox's guest did not answer in time";
    session->abandon();
    co_return out;
  }
  if (session->over() && !*session->outcome()) {
    out.failed = session->outcome()->error();
    session->abandon();
    co_return out;
  }
  out.running = std::make_unique<guest_session_command>(std::move(session));
  co_return out;
}

inline result<guest_start> guest_request(command what, const stdio_options& io) {
  if (what.argv.empty() || what.argv.front().empty()) {
    return make_error(errc::invalid, "guest", "the command is empty", "argv");
  }
  const auto has_nul = [](const std::string& s) { return s.find('\0') != std::string::npos; };
  for (const auto* words : {&what.argv, &what.env}) {
    for (const std::string& word : *words) {
      if (has_nul(word)) return make_error(errc::invalid, "guest", "a NUL in a command or its environment", "argv");
    }
  }
  if (has_nul(what.cwd) || has_nul(what.user))
    return make_error(errc::invalid, "guest", "a NUL in a command's directory or user");
  guest_start out;
  out.argv = std::move(what.argv);
  out.env = std::move(what.env);
  out.cwd = std::move(what.cwd);
  out.user = std::move(what.user);
  out.input = io.in != stdio_options::input::null;
  return out;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<guest_attempt> guest_executor::attempt(command what, stdio_options io,
                                                                         std::optional<guest_terminal_size> terminal) {
  guest_attempt out;
  auto request = detail::guest_request(std::move(what), io);
  if (!request) {
    out.failed = std::move(request).error();
    co_return out;
  }
  request->terminal = terminal;
  std::function<result<unique_fd>()> connect = connect_;
  if (!connect) connect = [path = socket_path_] { return connect_guarded(path); };
  auto work = detail::launch_by_guest(std::move(connect), std::move(*request), std::move(io), patience, start_patience);
  co_return co_await std::move(work);
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> guest_executor::start(command what,
                                                                                                  stdio_options io) {
  auto work = attempt(std::move(what), std::move(io));
  guest_attempt made = co_await std::move(work);
  if (!made.running) co_return std::move(made.failed);
  std::unique_ptr<running_command> started = std::move(made.running);
  co_return started;
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<guest_command>>> guest_executor::start_terminal(
    command what, stdio_options io, guest_terminal_size size) {
  auto work = attempt(std::move(what), std::move(io), size);
  guest_attempt made = co_await std::move(work);
  if (!made.running) co_return std::move(made.failed);
  co_return std::move(made.running);
}

}  // namespace berth
