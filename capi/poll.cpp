// SPDX-License-Identifier: Apache-2.0
// berth_poll_…: waiting until something is ready.
#include "detail/command_options.hpp"
#include "detail/executor.hpp"
#include "detail/json_out.hpp"

#include <berth/base/text.hpp>
#include <berth/readiness/poll.hpp>

namespace berth::capi {

// What a poll is told from outside. Loop thread only.
struct poll_aspect final : op_aspect {
  exit_notice process;
};

struct poll_request {
  enum class question { connect, http, command };
  question what = question::connect;
  socket_address where;
  std::string target = "/";
  command cmd;
  probe_schedule schedule = probe_schedule::cheap();
};

static void read_schedule(options_object o, probe_schedule& schedule) {
  o.into(schedule.first, o.milliseconds_of("first_ms"));
  o.into(schedule.max, o.milliseconds_of("max_ms"));
  o.into(schedule.attempt_timeout, o.milliseconds_of("attempt_timeout_ms"));
  o.into(schedule.factor, o.number("factor"));
  o.into(schedule.jitter, o.number("jitter"));
  if (schedule.first <= duration::zero()) o.complain("first_ms", "at least 1 is wanted");
  if (schedule.attempt_timeout <= duration::zero()) o.complain("attempt_timeout_ms", "at least 1 is wanted");
  o.finish();
}

static result<poll_request> read_poll_request(std::string_view text) {
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("poll");
  poll_request r;
  auto p = o.object("probe");
  if (!p) {
    o.complain("probe", "a poll has a probe");
    BERTH_TRY(given.outcome());
    return r;
  }
  using question = poll_request::question;
  const auto type = p->word("type", std::array{question::connect, question::http, question::command});
  if (type) r.what = *type;
  else p->complain("type", "a probe has a type");
  if (r.what != question::command) {
    p->into(r.where.unix_path, p->text("unix"));
    p->into(r.where.host, p->text("host"));
    if (const auto port = p->integer("port")) r.where.port = static_cast<std::uint16_t>(*port);
    p->into(r.where.guarded, p->boolean("guarded"));
    if (r.what == question::http) p->into(r.target, p->text("target"));
  } else {
    r.schedule = probe_schedule::costly();
    read_command(*p, r.cmd);
  }
  if (given.outcome()) p->finish();
  if (r.what == question::command) need_program(*p, r.cmd);
  const bool tcp = !r.where.host.empty() && r.where.port != 0;
  if (r.what != question::command && r.where.unix_path.empty() != tcp)
    p->complain("unix", "either unix, or host and port, are wanted");
  const auto cheap_or_costly = o.word("schedule", std::array{false, true});
  if (cheap_or_costly) r.schedule = *cheap_or_costly ? probe_schedule::costly() : probe_schedule::cheap();
  else if (auto s = given.outcome() ? o.object("schedule") : std::nullopt) read_schedule(*s, r.schedule);
  o.finish();
  BERTH_TRY(given.outcome());
  return r;
}

static asio::awaitable<op_result> run_poll(std::shared_ptr<executor_core> where, std::shared_ptr<poll_request> request,
                                           op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto aspect = std::make_shared<poll_aspect>();
  op->aspect = aspect;
  std::unique_ptr<probe> question;
  if (request->what == poll_request::question::connect) {
    question = make_connect_probe(request->where);
  } else if (request->what == poll_request::question::http) {
    question = make_http_probe(request->where, request->target);
  } else {
    auto place = where->place();
    if (!place) co_return std::move(place).error();
    question = make_command_probe(**place, request->cmd);
  }
  poll_options options;
  options.schedule = request->schedule;
  options.deadline = op->deadline;
  poll_result r = co_await poll_until_ready(*question, std::move(options), &aspect->process);
  if (r.status == errc::cancelled && op->timed_out) r.status = errc::timeout;

  op_outcome outcome;
  outcome.code = static_cast<std::int32_t>(r.attempts);
  json_writer out;
  out.open_object().key("status").string(errc_name(r.status)).key("attempts").unsigned_number(r.attempts);
  out.key("elapsed_ms").decimal(std::chrono::duration<double, std::milli>(r.elapsed).count());
  out.key("connected").boolean(r.connected);
  out.key("last").string(r.ready() ? std::string() : r.last.to_string());
  outcome.payload = out.close_object().take();
  if (r.ready()) co_return outcome;
  op->on_failure = std::move(outcome);
  error why = std::move(r.last);
  const std::string last = why.to_string();
  switch (r.status) {
    case errc::timeout: why.message = "not ready before the deadline, after " + counted(r.attempts, "probe"); break;
    case errc::cancelled: why.message = "waiting was cancelled"; break;
    case errc::process_exited:
      why.message = "the process ended before it was ready" + (r.exited ? ": " + r.exited->to_string() : std::string());
      break;
    default: break;
  }
  if (r.status != errc::probe_failed && !last.empty()) why.detail = last;
  why.code = r.status;
  if (why.layer.empty()) why.layer = "readiness";
  co_return why;
}

}  // namespace berth::capi

berth_status berth_poll_start(berth_loop* loop, berth_executor* executor, const char* options, size_t options_len,
                              const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  namespace capi = berth::capi;
  return capi::guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(capi::clear_out(op, "op"));
    BERTH_PIN(l, capi::loop_object, loop);
    BERTH_TRY(l->core->check());
    BERTH_TEXT(text, options, options_len);
    auto request = capi::read_poll_request(text);
    if (!request) return std::move(request).error();
    std::shared_ptr<capi::executor_core> where;
    if (executor != nullptr) {
      BERTH_PIN(e, capi::executor_object, executor);
      where = e->core;
    }
    const bool command = request->what == capi::poll_request::question::command;
    if (command && (!where || where->loop != l->core)) {
      return berth::make_error(berth::errc::invalid, "capi", "a command probe needs an executor of this loop",
                               "executor", "pass one of berth_executor_create_… made on the same loop");
    }
    auto shared = std::make_shared<capi::poll_request>(std::move(*request));
    auto started = l->core->submit(
        op_options, [where, shared](capi::op_pointer o) { return capi::run_poll(where, shared, std::move(o)); });
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

berth_status berth_poll_notify_exit(berth_loop* loop, uint64_t poll_op, int32_t exit_code, int32_t signal,
                                    berth_error** err) {
  namespace capi = berth::capi;
  return capi::guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(l, capi::loop_object, loop);
    BERTH_TRY(l->core->check());
    l->core->post([core = l->core, poll_op, exit_code, signal] {
      const capi::op_pointer op = core->find_op(poll_op);
      const auto aspect = op ? std::dynamic_pointer_cast<capi::poll_aspect>(op->aspect) : nullptr;
      if (aspect) aspect->process.set(berth::exit_status{signal == 0 ? exit_code : 0, signal});
    });
    return {};
  });
}
