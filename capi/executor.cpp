// SPDX-License-Identifier: Apache-2.0
// berth_executor: this host, a container by runsc exec, or the caller's own way.
#include "detail/caller_executor.hpp"
#include "detail/executor.hpp"
#include "detail/runsc.hpp"

#include <berth/sandbox/runsc_executor.hpp>

namespace berth::capi {

class host_executor_core final : public executor_core {
 public:
  using executor_core::executor_core;
  result<executor*> place() override { return &host_; }

 private:
  host_executor host_;
};

// A container that the caller made, by `runsc exec`.
class runsc_executor_core final : public executor_core {
 public:
  runsc_executor_core(std::shared_ptr<loop_core> l, std::shared_ptr<runsc_executor> r)
      : executor_core(std::move(l)), runsc_(std::move(r)) {}
  result<executor*> place() override { return runsc_.get(); }

 private:
  const std::shared_ptr<runsc_executor> runsc_;
};

static result<std::shared_ptr<runsc_executor>> make_runsc_executor(std::string_view text) {
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("runsc_place");
  const std::string binary_name = o.text("runsc").value_or("");
  const std::string cache = o.text("cache_dir").value_or("");
  const std::string id = o.text("id").value_or("");
  runsc_globals globals;
  if (auto g = o.object("globals")) globals = read_runsc_globals(std::move(*g));
  o.finish();
  BERTH_TRY(given.outcome());
  auto binary = probe_runsc_blocking(binary_name, cache);
  if (!binary) return std::move(binary).error();
  return runsc_executor::create(std::move(*binary), std::move(globals), id);
}

result<void> hand_out_executor(berth_executor** out, std::shared_ptr<executor_core> core) {
  BERTH_TRY(core->loop->settle(core));
  return hand_out<executor_object>(out, std::move(core));
}

// The loop behind a handle, alive whatever becomes of the handle.
static result<std::shared_ptr<loop_core>> loop_of(berth_loop* loop) {
  BERTH_PIN(l, loop_object, loop);
  BERTH_TRY(l->core->check());
  return l->core;
}

// An answer to a request of a caller's executor.
template <class Answer>
static berth_status answer_request(berth_executor* executor, berth_error** err, Answer answer) {
  return guard(err, [&]() -> result<void> {
    BERTH_PIN(e, executor_object, executor);
    BERTH_TRY(e->core->loop->check());
    auto* mine = dynamic_cast<caller_executor_core*>(e->core.get());
    if (mine == nullptr) {
      return make_error(errc::invalid, "capi", "this executor runs its commands by itself", {},
                        "answer only to executors made by berth_executor_create");
    }
    return answer(*mine);
  });
}

}  // namespace berth::capi

using berth::capi::answer_request;
using berth::capi::caller_executor_core;
using berth::capi::clear_out;
using berth::capi::guard;

berth_status berth_executor_create_host(berth_loop* loop, berth_executor** executor, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(executor, "executor"));
    auto l = berth::capi::loop_of(loop);
    if (!l) return std::move(l).error();
    return berth::capi::hand_out_executor(executor, std::make_shared<berth::capi::host_executor_core>(*l));
  });
}

berth_status berth_executor_create_runsc(berth_loop* loop, const char* options, size_t options_len,
                                         berth_executor** executor, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(executor, "executor"));
    auto l = berth::capi::loop_of(loop);
    if (!l) return std::move(l).error();
    BERTH_TEXT(text, options, options_len);
    auto made = berth::capi::make_runsc_executor(text);
    if (!made) return std::move(made).error();
    return berth::capi::hand_out_executor(executor,
                                          std::make_shared<berth::capi::runsc_executor_core>(*l, std::move(*made)));
  });
}

berth_status berth_executor_create(berth_loop* loop, uint64_t user_data, berth_executor** executor, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(executor, "executor"));
    auto l = berth::capi::loop_of(loop);
    if (!l) return std::move(l).error();
    return berth::capi::hand_out_executor(executor, std::make_shared<caller_executor_core>(*l, user_data));
  });
}

void berth_executor_free(berth_executor* executor) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(executor), berth::capi::handle_kind::executor);
}

berth_status berth_executor_started(berth_executor* executor, uint64_t op, int32_t pid, berth_error** err) {
  return answer_request(executor, err, [&](caller_executor_core& e) { return e.started(op, pid); });
}

berth_status berth_executor_output(berth_executor* executor, uint64_t op, int32_t stream, const char* data,
                                   size_t data_len, berth_error** err) {
  return answer_request(executor, err, [&](caller_executor_core& e) -> berth::result<void> {
    BERTH_TEXT(bytes, data, data_len);
    if (stream != 1 && stream != 2) {
      return berth::make_error(berth::errc::invalid, "capi", "there is no such stream", "stream",
                               "1 is stdout, 2 is stderr");
    }
    return e.output(op, stream == 1 ? berth::output_stream::out : berth::output_stream::err, bytes);
  });
}

berth_status berth_executor_exited(berth_executor* executor, uint64_t op, int32_t exit_code, int32_t signal,
                                   berth_error** err) {
  return answer_request(executor, err, [&](caller_executor_core& e) -> berth::result<void> {
    if (exit_code < 0 || exit_code > 255 || signal < 0 || signal > 64) {
      return berth::make_error(berth::errc::invalid, "capi", "an exit code is 0 to 255, a signal 0 to 64", "exit_code");
    }
    return e.exited(op, berth::exit_status{signal == 0 ? exit_code : 0, signal});
  });
}

berth_status berth_executor_failed(berth_executor* executor, uint64_t op, berth_status status, const char* message,
                                   size_t message_len, berth_error** err) {
  return answer_request(executor, err, [&](caller_executor_core& e) -> berth::result<void> {
    BERTH_TEXT(text, message, message_len);
    if (status >= 0) {
      return berth::make_error(berth::errc::invalid, "capi", "a failure has a negative status", "status",
                               "pass a BERTH_E_ constant");
    }
    return e.failed(op, berth::make_error(static_cast<berth::errc>(status), "executor",
                                          text.empty() ? "the command failed" : std::string(text)));
  });
}
