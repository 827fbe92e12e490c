// SPDX-License-Identifier: Apache-2.0
#include "detail/caller_executor.hpp"

#include "detail/json_out.hpp"

namespace berth::capi {

// The command as the library's side sees it.
class caller_command final : public running_command {
 public:
  caller_command(std::shared_ptr<caller_executor_core> where, std::shared_ptr<caller_request> request)
      : where_(std::move(where)), request_(std::move(request)) {}
  ~caller_command() override {
    if (!request_->ended()) where_->abandon(request_);
  }

  asio::awaitable<result<exit_status>> wait(time_point deadline) override { return wait_for(request_, deadline); }

  asio::awaitable<result<void>> signal(int signo) override {
    if (request_->ended()) co_return make_error(errc::state, "executor", "the command has ended");
    where_->ask(BERTH_EVENT_REQUEST_SIGNAL, *request_, signo, {});
    co_return result<void>();
  }

  asio::awaitable<result<void>> write(std::string_view data) override {
    if (request_->io.in != stdio_options::input::pipe) {
      co_return make_error(errc::state, "executor", "the stdin of this command is not a pipe of ours");
    }
    if (request_->ended() || stdin_closed_) {
      co_return make_error(errc::closed, "executor", "the stdin of this command is closed");
    }
    where_->ask(BERTH_EVENT_REQUEST_STDIN, *request_, 0, std::string(data));
    co_return result<void>();
  }

  void close_stdin() override {
    if (request_->io.in != stdio_options::input::pipe) return;  // there is none, or its text was followed by its end
    if (std::exchange(stdin_closed_, true) || request_->ended()) return;
    where_->ask(BERTH_EVENT_REQUEST_STDIN_CLOSE, *request_, 0, {});
  }

  std::string output(output_stream which) const override {
    return request_->rings[which == output_stream::out ? 0 : 1].text();
  }
  std::optional<exit_status> status() const override { return request_->status; }
  pid_t pid() const override { return request_->pid; }

 private:
  static asio::awaitable<result<exit_status>> wait_for(std::shared_ptr<caller_request> request, time_point deadline) {
    for (;;) {
      if (request->failure) co_return *request->failure;
      if (request->status) co_return *request->status;
      if (clock::now() >= deadline) co_return make_error(errc::timeout, "executor", "the command did not end in time");
      const bool cancelled = co_await op_is_cancelled();
      if (cancelled) co_return make_error(errc::cancelled, "executor", "waiting was cancelled");
      co_await request->changed.wait(deadline);
    }
  }

  std::shared_ptr<caller_executor_core> where_;
  std::shared_ptr<caller_request> request_;
  bool stdin_closed_ = false;
};

void caller_executor_core::ask(std::uint32_t kind, const caller_request& request, std::int32_t code,
                               std::optional<std::string> payload) {
  loop->emit(kind, request.id, user_data_, code, std::move(payload));
}

void caller_executor_core::abandon(const std::shared_ptr<caller_request>& request) {
  if (std::exchange(request->abandoned, true)) return;
  {
    const std::lock_guard lock(mutex_);
    requests_.erase(request->id);
  }
  ask(BERTH_EVENT_REQUEST_ABANDON, *request, 0, {});
}

asio::awaitable<result<std::unique_ptr<running_command>>> caller_executor_core::start(command what, stdio_options io) {
  using in = stdio_options::input;
  using out_to = stdio_options::output;
  if (io.in == in::fd || io.out == out_to::fd || io.err == out_to::fd) {
    co_return make_error(errc::unsupported, "executor", "a descriptor cannot be handed to a caller's executor");
  }
  auto self = std::static_pointer_cast<caller_executor_core>(shared_from_this());
  auto request = std::make_shared<caller_request>(std::move(io));
  request->id = next_op_id();
  const bool text = request->io.in == stdio_options::input::text;
  const bool wants_stdin = text || request->io.in == stdio_options::input::pipe;
  json_writer out;
  out.open_object().key("argv").open_array();
  for (const auto& a : what.argv) out.string(a);
  out.close_array().key("env").open_array();
  for (const auto& e : what.env) out.string(e);
  out.close_array().key("cwd").string(what.cwd).key("user").string(what.user);
  out.key("stdin").boolean(wants_stdin).close_object();
  {
    const std::lock_guard lock(mutex_);
    requests_.emplace(request->id, request);
  }
  // From here on the command object sees to it that the caller is told when nobody waits any more.
  std::unique_ptr<running_command> running = std::make_unique<caller_command>(self, request);
  ask(BERTH_EVENT_REQUEST_EXEC, *request, 0, out.take());
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool cancelled = false;
  while (!request->started && !request->ended() && !cancelled) {
    co_await request->changed.wait();
    cancelled = co_await op_is_cancelled();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (request->failure) co_return *request->failure;
  if (cancelled) co_return make_error(errc::cancelled, "executor", "starting the command was cancelled");
  if (text) {
    ask(BERTH_EVENT_REQUEST_STDIN, *request, 0, request->io.in_text);
    ask(BERTH_EVENT_REQUEST_STDIN_CLOSE, *request, 0, {});
  }
  co_return running;
}

template <class Arrived>
result<void> caller_executor_core::answer(std::uint64_t op, caller_request::stage from, bool also_asked,
                                          std::optional<caller_request::stage> to, Arrived arrived) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(op);
  if (found == requests_.end()) {
    return make_error(errc::not_found, "capi", "no request with this op waits for an answer", "op",
                      "it has ended, was given up (BERTH_EVENT_REQUEST_ABANDON), or is another executor's");
  }
  const std::shared_ptr<caller_request> request = found->second;
  if (request->answered != from && !(also_asked && request->answered == caller_request::stage::asked)) {
    return make_error(errc::state, "capi", "this answer is out of order", "op",
                      "answer by started once, then output, then exited or failed once");
  }
  // Within the lock, so that answers arrive in the order in which they were accepted.
  if (!loop->post([request, arrived = std::move(arrived)] {
        arrived(*request);
        request->changed.wake();
      })) {
    return make_error(errc::closed, "capi", "the loop was closed");
  }
  if (to) request->answered = *to;
  if (to == caller_request::stage::ended) requests_.erase(op);
  return {};
}

result<void> caller_executor_core::started(std::uint64_t op, pid_t pid) {
  return answer(op, caller_request::stage::asked, false, caller_request::stage::running, [pid](caller_request& r) {
    r.started = true;
    r.pid = pid;
  });
}

// What the executor's user asked for, wherever it comes from.
static void deliver_output(caller_request& r, output_stream which, std::string_view data) {
  const int i = which == output_stream::out ? 0 : 1;
  const auto how = i == 0 ? r.io.out : r.io.err;
  if (r.abandoned || how == stdio_options::output::null) return;
  r.rings[i].append(data);
  if (r.io.on_data) r.io.on_data(which, data);
  if (r.io.on_line) r.lines[i].append(data, [&](std::string_view line) { r.io.on_line(which, line); });
}

static void finish_output(caller_request& r) {
  if (r.abandoned || !r.io.on_line) return;
  r.lines[0].finish([&](std::string_view line) { r.io.on_line(output_stream::out, line); });
  r.lines[1].finish([&](std::string_view line) { r.io.on_line(output_stream::err, line); });
}

result<void> caller_executor_core::output(std::uint64_t op, output_stream which, std::string_view data) {
  return answer(op, caller_request::stage::running, false, {},
                [which, bytes = std::string(data)](caller_request& r) { deliver_output(r, which, bytes); });
}

result<void> caller_executor_core::exited(std::uint64_t op, exit_status status) {
  return answer(op, caller_request::stage::running, false, caller_request::stage::ended, [status](caller_request& r) {
    finish_output(r);
    r.status = status;
  });
}

result<void> caller_executor_core::failed(std::uint64_t op, error why) {
  return answer(op, caller_request::stage::running, true, caller_request::stage::ended,
                [why = std::move(why)](caller_request& r) {
                  finish_output(r);
                  r.failure = why;
                });
}

}  // namespace berth::capi
