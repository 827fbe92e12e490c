// SPDX-License-Identifier: Apache-2.0
// berth_daemon: the supervisor for a sandbox that berth does not own.
#include "detail/daemon.hpp"

namespace berth::capi {

static result<daemon_settings> read_settings(std::string_view text) {
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("daemon");
  daemon_settings settings;
  read_daemon_settings(o, settings);
  o.into(settings.options.host_socket, o.text("host_socket"));
  o.into(settings.options.plan.guest, o.text("guest_program"));
  o.finish();
  BERTH_TRY(given.outcome());
  return settings;
}

using daemon_verb = asio::awaitable<op_result> (daemon_core::*)(op_pointer);

static berth_status daemon_operation(berth_daemon* daemon, const berth_op_options* op_options, std::uint64_t* op,
                                     berth_error** err, daemon_verb verb) {
  return guard(err, [&]() -> result<void> {
    BERTH_TRY(clear_out(op, "op"));
    BERTH_PIN(d, daemon_object, daemon);
    auto started = d->core->loop->submit(
        op_options, [core = d->core, verb](op_pointer o) { return ((*core).*verb)(std::move(o)); });
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

}  // namespace berth::capi

using berth::capi::daemon_core;
using berth::capi::daemon_object;

berth_status berth_daemon_create(berth_executor* executor, const char* options, size_t options_len, uint64_t user_data,
                                 berth_daemon** daemon, berth_error** err) {
  return berth::capi::guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(berth::capi::clear_out(daemon, "daemon"));
    BERTH_PIN(e, berth::capi::executor_object, executor);
    BERTH_TRY(e->core->loop->check());
    BERTH_TEXT(text, options, options_len);
    auto settings = berth::capi::read_settings(text);
    if (!settings) return std::move(settings).error();
    settings->user_data = user_data;
    auto core = std::make_shared<daemon_core>(e->core, std::move(*settings));
    BERTH_TRY(core->loop->settle(core));
    BERTH_TRY(berth::capi::hand_out<daemon_object>(daemon, core));
    core->loop->post([core] { core->open(); });
    return {};
  });
}

void berth_daemon_free(berth_daemon* daemon) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(daemon), daemon_object::kind);
}

berth_status berth_daemon_start(berth_daemon* daemon, const berth_op_options* op_options, uint64_t* op,
                                berth_error** err) {
  return berth::capi::daemon_operation(daemon, op_options, op, err, &daemon_core::start);
}

berth_status berth_daemon_wait_ready(berth_daemon* daemon, const berth_op_options* op_options, uint64_t* op,
                                     berth_error** err) {
  return berth::capi::daemon_operation(daemon, op_options, op, err, &daemon_core::wait_ready);
}

berth_status berth_daemon_stop(berth_daemon* daemon, const berth_op_options* op_options, uint64_t* op,
                               berth_error** err) {
  return berth::capi::daemon_operation(daemon, op_options, op, err, &daemon_core::stop);
}

berth_status berth_daemon_status(berth_daemon* daemon, berth_buffer** json, berth_error** err) {
  return berth::capi::guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(berth::capi::clear_out(json, "json"));
    BERTH_PIN(d, daemon_object, daemon);
    BERTH_TRY(d->core->loop->check());
    *json = berth::capi::make_buffer_handle(berth::capi::daemon_status_json(d->core->status()));
    return {};
  });
}
