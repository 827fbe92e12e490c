// SPDX-License-Identifier: Apache-2.0
// Pools of sandboxes, and copies of one that runs.
#include "detail/sandbox_operation.hpp"

#include <berth/snapshot/pool.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace berth::capi {
namespace {

// Fills a pool after one was taken: by a process of its own where there is the berth command, which goes on when this one ends; else
// on the loop, as long as that lives.
class pool_filler final : public resident, public std::enable_shared_from_this<pool_filler> {
 public:
  pool_filler(std::shared_ptr<loop_core> l, sandbox_pool pool) : loop_(std::move(l)), pool_(std::move(pool)) {}

  static void begin(const std::shared_ptr<loop_core>& loop, sandbox_pool pool) {
    const auto filler = std::make_shared<pool_filler>(loop, std::move(pool));
    if (!loop->settle(filler)) return;  // it is closing
    asio::co_spawn(loop->context(), filler->fill(),
                   asio::bind_cancellation_slot(filler->stop_.slot(),
                                                [filler](std::exception_ptr) { filler->loop_->retire(filler); }));
  }
  void close_on_loop() noexcept override { stop_.emit(asio::cancellation_type::terminal); }

 private:
  asio::awaitable<void> fill() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto beginning = pool_.begin_refill();
    const auto begun = co_await std::move(beginning);
    if (begun || begun.error().code != errc::not_found) co_return;
    auto work = pool_.refill();
    (void)co_await std::move(work);  // the pool's figures tell of a failure
  }

  const std::shared_ptr<loop_core> loop_;
  sandbox_pool pool_;
  asio::cancellation_signal stop_;
};

struct start_request {
  pool_settings settings;
  bool wait = true;
};

result<start_request> read_start_request(std::string_view text) {
  start_request r;
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("pool_start");
  o.into(r.settings.name, o.text("name"));
  o.into(r.settings.snapshot, o.text("snapshot"));
  if (const auto n = o.integer("size")) r.settings.rate.size = static_cast<int>(*n);
  if (const auto n = o.integer("at_once")) r.settings.rate.at_once = static_cast<int>(*n);
  o.into(r.settings.rate.per_minute, o.number("per_minute"));
  if (o.boolean("ends_with_creator").value_or(false)) r.settings.owner = process_identity::of(::getpid());
  o.into(r.wait, o.boolean("wait"));
  o.finish();
  BERTH_TRY(given.outcome());
  BERTH_TRY(check_pool_settings(r.settings));
  return r;
}

asio::awaitable<op_result> start_pool(std::shared_ptr<loop_core> loop, environment where, start_request r) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto starting = sandbox_pool::start(where, r.settings);
  auto pool = co_await std::move(starting);
  if (!pool) co_return std::move(pool).error();
  if (r.wait) {
    auto filling = pool->refill();
    BERTH_CO_TRY(co_await std::move(filling));
  } else {
    pool_filler::begin(loop, *pool);
  }
  auto now = pool->status();
  if (!now) co_return std::move(now).error();
  op_outcome outcome;
  outcome.payload = format_pool(*now);
  co_return outcome;
}

asio::awaitable<op_result> stop_pool(environment where, std::string name) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto pool = sandbox_pool::find_to_stop(where, std::move(name));
  if (!pool) co_return std::move(pool).error();
  auto stopping = pool->stop();
  BERTH_CO_TRY(co_await std::move(stopping));
  co_return op_outcome{};
}

// What a sandbox may have of its own that is taken out of a pool, or is a copy.
void read_own(options_object& o, take_options& what) {
  o.into(what.annotations, o.pairs("annotations"));
  if (const auto words = o.texts("egress")) {
    auto policy = parse_egress(*words);
    if (policy) what.egress = std::move(*policy);
    else o.complain("egress", policy.error().message, errc::invalid, policy.error().hint);
  }
  o.into(what.watch_creator, o.boolean("ends_with_creator"));
  o.into(what.lifetime, o.milliseconds_of("lifetime_ms"));
  o.into(what.idle_timeout, o.milliseconds_of("idle_timeout_ms"));
  o.into(what.hibernate, o.boolean("hibernate"));
}

}  // namespace

asio::awaitable<op_result> sandbox_core::take(std::string name, take_options what, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  where_.log = loop->make_log_sink(op->user_data);
  auto pool = sandbox_pool::find(where_, std::move(name));
  if (!pool) co_return std::move(pool).error();
  const bool stays = !what.watch_creator;
  auto taking = pool->take(std::move(what));
  auto taken = co_await std::move(taking);
  pool_filler::begin(loop, *pool);
  if (!taken) co_return std::move(taken).error();
  if (stays) {
    auto handing = taken->box->hand_over();
    if (auto handed = co_await std::move(handing); !handed) {
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      auto ending = taken->box->terminate();
      (void)co_await std::move(ending);
      co_return std::move(handed).error();
    }
  }
  co_return present(std::move(taken->box));
}

asio::awaitable<op_result> sandbox_core::clone(int copies, restore_options options) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  auto cloning = clone_sandbox(where_, *held, copies, std::move(options));
  auto made = co_await std::move(cloning);
  if (!made) co_return std::move(made).error();
  op_outcome outcome;
  json_writer out;
  out.open_object().key("ids").open_array();
  for (const auto& one : *made) out.string(one->id());
  outcome.payload = out.close_array().close_object().take();
  co_return outcome;
}

}  // namespace berth::capi

namespace capi = berth::capi;
using berth::capi::clear_out;
using berth::capi::guard;
using berth::capi::op_pointer;

berth_status berth_pool_start(berth_loop* loop, const char* where, size_t where_len, const char* options,
                              size_t options_len, const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TEXT(text, options, options_len);
    auto request = capi::read_start_request(text);
    if (!request) return std::move(request).error();
    return capi::begin_root_operation(
        loop, {where, where_len}, op_options, op,
        [r = std::move(*request)](std::shared_ptr<capi::loop_core> l, berth::environment place) {
          return capi::start_pool(std::move(l), std::move(place), r);
        });
  });
}

berth_status berth_pool_take(berth_loop* loop, const char* where, size_t where_len, const char* options,
                             size_t options_len, const berth_op_options* op_options, berth_sandbox** sandbox,
                             uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(sandbox, "sandbox"));
    BERTH_TRY(clear_out(op, "op"));
    BERTH_TEXT(place, where, where_len);
    BERTH_TEXT(text, options, options_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("pool_take");
    std::string name;
    berth::take_options what;
    o.into(name, o.text("name"));
    capi::read_own(o, what);
    o.finish();
    BERTH_TRY(given.outcome());
    BERTH_TRY(berth::check_pool_name(name));
    return capi::begin_sandbox(
        loop, std::move(*environment), op_options, sandbox, op,
        [name, what](capi::sandbox_core& c, op_pointer o2) { return c.take(name, what, std::move(o2)); });
  });
}

berth_status berth_pool_stop(berth_loop* loop, const char* where, size_t where_len, const char* name, size_t name_len,
                             const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TEXT(text, name, name_len);
    BERTH_TRY(berth::check_pool_name(text));
    return capi::begin_root_operation(
        loop, {where, where_len}, op_options, op,
        [pool = std::string(text)](std::shared_ptr<capi::loop_core>, berth::environment place) {
          return capi::stop_pool(std::move(place), pool);
        });
  });
}

berth_status berth_pool_list(const char* where, size_t where_len, berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_TEXT(place, where, where_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    auto all = berth::list_pools(*environment);
    if (!all) return std::move(all).error();
    std::string text = "[";
    for (const berth::pool_status& one : *all) text += (text.size() > 1 ? "," : "") + berth::format_pool(one);
    *json = capi::make_buffer_handle(text + "]");
    return {};
  });
}

berth_status berth_sandbox_clone(berth_sandbox* sandbox, const char* options, size_t options_len,
                                 const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("clone");
    int copies = 1;
    berth::take_options own;
    if (const auto n = o.integer("count")) copies = static_cast<int>(*n);
    capi::read_own(o, own);
    o.finish();
    BERTH_TRY(given.outcome());
    return [copies, wanted = own.to_restore()](capi::sandbox_core& c, op_pointer) { return c.clone(copies, wanted); };
  });
}
