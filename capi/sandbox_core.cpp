// SPDX-License-Identifier: Apache-2.0
#include "detail/json_out.hpp"
#include "detail/sandbox.hpp"

#include <berth/managed/diagnose.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/snapshot/root_garbage.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace berth::capi {

static op_outcome outcome_of(const sandbox_status& status) {
  op_outcome outcome;
  json_writer out;
  write_json(out, status);
  outcome.payload = out.take();
  return outcome;
}

// ---- any thread ----

static error not_there_yet() {
  return make_error(errc::state, "capi", "the sandbox is not there yet, or could not be made", {},
                    "wait for the operation that makes it");
}

result<std::string> sandbox_core::id() const {
  const std::lock_guard lock(mutex_);
  if (id_.empty()) return not_there_yet();
  return id_;
}

result<std::string> sandbox_core::docker_socket() const {
  const std::lock_guard lock(mutex_);
  if (id_.empty()) return not_there_yet();
  if (socket_.empty()) {
    return make_error(errc::unsupported, "capi", "this sandbox shares no directory with the host", id_,
                      "make it with \"shared_directory\": true");
  }
  return socket_;
}

// Which of the two comes second, this or the end of the supervision, sees the other's flag.
void sandbox_core::handle_freed() noexcept {
  handle_freed_ = true;
  if (!supervises_) loop->retire(self());
}

// ---- loop thread ----

void sandbox_core::supervises_no_more() noexcept {
  supervises_ = false;
  if (handle_freed_) loop->retire(self());
}

void sandbox_core::supervise(std::shared_ptr<daemon_core> docker) {
  docker_ = std::move(docker);
  supervises_ = true;
  // Where the handle was freed meanwhile, the loop has let go of this already.
  if (!loop->settle(self())) close_on_loop();
}

result<executor*> sandbox_core::place() {
  if (!box_) return not_there_yet();
  return box_.get();
}

void sandbox_core::close_on_loop() noexcept {
  if (docker_) docker_->close_on_loop();
  docker_.reset();
  supervises_no_more();
}

result<std::shared_ptr<sandbox>> sandbox_core::box() const {
  if (!box_) return not_there_yet();
  return box_;
}

void sandbox_core::become(std::shared_ptr<sandbox> made) {
  box_ = std::move(made);
  const std::lock_guard lock(mutex_);
  id_ = box_->id();
  if (!box_->record().damaged && box_->record().shared_directory) socket_ = box_->shared_path(docker_socket_name);
}

op_outcome sandbox_core::present(std::shared_ptr<sandbox> made) {
  become(std::move(made));
  sandbox_status now;
  now.record = box_->record();
  now.state = sandbox_state_name(sandbox_state::running);
  if (auto purpose = read_purpose(now.record.directory)) now.purpose = std::move(*purpose);
  if (auto guest = read_guest_status(now.record)) now.guest = std::move(*guest);
  return outcome_of(now);
}

static bool is_up(daemon_state state) { return state == daemon_state::starting || state == daemon_state::ready; }

result<std::shared_ptr<daemon_core>> sandbox_core::make_daemon(std::string_view options, docker_recipe recipe,
                                                               std::uint64_t user_data) {
  daemon_settings settings;
  settings.user_data = user_data;
  bool enabled = true;
  bool start = true;
  BERTH_TRY(read_managed_docker(options, recipe, settings, enabled, start));
  auto planned = docker_supervisor_options(*box_, recipe);
  if (!planned) return std::move(planned).error();
  settings.options = std::move(*planned);
  BERTH_TRY(read_managed_docker(options, recipe, settings, enabled, start));
  settings.box = box_;
  settings.on_state = [weak = std::weak_ptr(self())](daemon_state state) {
    const auto mine = weak.lock();
    if (!mine) return;
    if (is_up(state)) mine->supervises_ = true;
    else mine->supervises_no_more();
  };
  auto docker = std::make_shared<daemon_core>(shared_from_this(), std::move(settings));
  docker->open();
  return docker;
}

asio::awaitable<op_result> sandbox_core::create(std::shared_ptr<sandbox_request> request, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  const log_sink sink = loop->make_log_sink(op->user_data);
  where_.log = sink;
  where_.on_phase = [sink](std::string_view phase) {
    log(sink, log_level::debug, "sandbox", {{"phase", std::string(phase)}});
  };
  std::optional<docker_recipe> wanted;
  if (request->docker) wanted = request->recipe;
  auto making = request->snapshot.empty()
                    ? make_sandbox(where_, std::move(request->config), std::move(wanted), {})
                    : restore_snapshot(where_, request->snapshot, restore_options(request->config));
  auto made = co_await std::move(making);
  if (!made) co_return std::move(made).error();
  become(std::move(*made));
  if (request->docker && request->start_docker) {
    auto docker = make_daemon(request->docker_options, request->recipe, op->user_data);
    result<void> begun;
    if (docker) {
      // So that Docker comes up also where this process ends as soon as it has its sandbox.
      auto beginning = (*docker)->begin();
      begun = co_await std::move(beginning);
      if (begun) supervise(*docker);
    } else {
      begun = std::move(docker).error();
    }
    if (!begun) {
      // Nothing is left behind by a creation that fails.
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      auto ending = box_->terminate();
      (void)co_await std::move(ending);
      co_return std::move(begun).error();
    }
    auto nobody =
        std::make_shared<op_record>();  // its outcome is told by state events, and to those who wait for ready
    asio::co_spawn(loop->context(), (*docker)->start(std::move(nobody)), asio::detached);
  }
  co_return present(box_);
}

asio::awaitable<op_result> sandbox_core::attach(std::string id, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  where_.log = loop->make_log_sink(op->user_data);
  auto found = sandbox::attach(where_, std::move(id));
  if (!found) co_return std::move(found).error();
  become(std::move(*found));
  auto seen = co_await look_at(where_, box_->record());
  if (!seen) co_return std::move(seen).error();
  co_return outcome_of(*seen);
}

asio::awaitable<op_result> sandbox_core::state(op_pointer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  status_options options;
  options.count_refused = true;
  auto seen = co_await look_at(where_, mine->record(), options);
  if (!seen) co_return std::move(seen).error();
  co_return outcome_of(*seen);
}

asio::awaitable<op_result> sandbox_core::perform(std::function<asio::awaitable<result<void>>(sandbox&)> verb) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  auto work = verb(*mine);
  auto done = co_await std::move(work);
  if (!done) co_return std::move(done).error();
  co_return op_outcome{};
}

asio::awaitable<op_result> sandbox_core::commit(image_options options) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  auto work = commit_image(*held, std::move(options));
  auto made = co_await std::move(work);
  if (!made) co_return std::move(made).error();
  op_outcome outcome;
  json_writer out;
  out.open_object().key("digest").string(made->digest).key("size").unsigned_number(made->size);
  outcome.payload = out.close_object().take();
  co_return outcome;
}

asio::awaitable<op_result> sandbox_core::start_detached(command what, std::string log) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  auto work = mine->start_detached(std::move(what), std::move(log));
  auto pid = co_await std::move(work);
  if (!pid) co_return std::move(pid).error();
  op_outcome outcome;
  json_writer out;
  outcome.payload = out.open_object().key("pid").number(*pid).close_object().take();
  co_return outcome;
}

asio::awaitable<op_result> sandbox_core::snapshot(std::string name, snapshot_options options) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  auto work = take_snapshot(where_, *held, std::move(name), options);
  auto taken = co_await std::move(work);
  if (!taken) co_return std::move(taken).error();
  op_outcome outcome;
  outcome.payload = format_snapshot(*taken);
  co_return outcome;
}

asio::awaitable<op_result> sandbox_core::egress(std::optional<egress_policy> wanted) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  if (wanted) {
    auto changing = mine->set_egress(std::move(*wanted));
    auto changed = co_await std::move(changing);
    if (!changed) co_return std::move(changed).error();
  }
  auto asking = mine->egress();
  auto now = co_await std::move(asking);
  if (!now) co_return std::move(now).error();
  op_outcome outcome;
  json_writer out;
  write_members(out.open_object(), *now);
  outcome.payload = out.close_object().take();
  co_return outcome;
}

namespace {

/// What was found, in its one JSON form.
template <class T>
op_result payload_of(result<T> found) {
  if (!found) return std::move(found).error();
  op_outcome outcome;
  json_writer out;
  write_json(out, *found);
  outcome.payload = out.take();
  return outcome;
}

}  // namespace

asio::awaitable<op_result> sandbox_core::container_stats() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  docker_sandbox managed(where_, *held);
  auto asking = managed.container_stats();
  auto found = co_await std::move(asking);
  co_return payload_of(std::move(found));
}

asio::awaitable<op_result> sandbox_core::ports() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  docker_sandbox managed(where_, *held);
  auto asking = managed.ports();
  auto found = co_await std::move(asking);
  co_return payload_of(std::move(found));
}

asio::awaitable<op_result> sandbox_core::diagnose() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  auto looking = diagnose_sandbox(where_, (*held)->record());
  auto found = co_await cancellation_as_error(std::move(looking));
  co_return payload_of(std::move(found));
}

asio::awaitable<op_result> sandbox_core::logs(sandbox_log which, std::size_t limit) {
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto text = (*held)->logs(which, limit);
  if (!text) co_return text.error();
  op_outcome outcome;
  json_writer out;
  outcome.payload = out.open_object().key("text").string(*text).close_object().take();
  co_return outcome;
}

asio::awaitable<op_result> sandbox_core::terminate(terminate_options how, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  close_on_loop();  // so that the end of dockerd is no failure to be mended
  // What does not stop must not take the time that the removal needs.
  if (op->deadline != time_point::max())
    how.timeout = std::clamp<duration>(op->deadline - clock::now() - seconds(2), duration::zero(), how.timeout);
  docker_sandbox managed(where_, mine);
  auto ending = managed.terminate(how);
  auto done = co_await std::move(ending);
  if (!done) co_return std::move(done).error();
  co_return op_outcome{};
}

asio::awaitable<op_result> sandbox_core::start_docker(std::string options, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  docker_recipe recipe;
  daemon_settings settings;
  bool enabled = true;
  bool start = true;
  BERTH_CO_TRY(read_managed_docker(options, recipe, settings, enabled, start));
  // One that has come to its end starts anew as it is told now; one that is up is left as it is.
  const bool told = !options.empty() && options != "{}";
  if (!docker_ || (told && !is_up(docker_->state()))) {
    auto docker = make_daemon(options, recipe, op->user_data);
    if (!docker) co_return std::move(docker).error();
    if (docker_) docker_->close_on_loop();
    supervise(std::move(*docker));
  }
  const auto docker = docker_;
  if (!docker) co_return loop_closed_error();
  supervises_ = true;
  auto started = co_await docker->start(op);
  co_return started;
}

asio::awaitable<op_result> sandbox_core::wait_docker(op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  if (const auto docker = docker_) {
    auto ready = co_await docker->wait_ready(op);
    co_return ready;
  }
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  const time_point deadline = op->deadline != time_point::max() ? op->deadline : deadline_after(seconds(30));
  docker_sandbox docker(where_, mine);
  daemon_status last;
  auto waiting = docker.wait_ready(deadline, &last);
  auto ready = co_await std::move(waiting);
  if (ready) co_return status_outcome(last);
  op->on_failure = status_outcome(last);
  co_return std::move(ready).error();
}

asio::awaitable<op_result> sandbox_core::docker_status(op_pointer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  // One that is said to be ready is asked: it may have ended a moment ago.
  if (docker_ && docker_->status().state != daemon_state::ready) co_return status_outcome(docker_->status());
  auto held = box();
  if (!held) co_return std::move(held).error();
  docker_sandbox docker(where_, *held);
  const daemon_status now = co_await docker.docker_status();
  co_return status_outcome(now);
}

asio::awaitable<op_result> sandbox_core::events(bool follow, op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  docker_sandbox docker(where_, *held);
  std::function<void(const sandbox_event&)> tell = [l = loop, op](const sandbox_event& event) {
    l->emit(BERTH_EVENT_SANDBOX, op->id, op->user_data, 0, format_sandbox_event(event), true);
  };
  auto watching = docker.events(std::move(tell), follow);
  auto watched = co_await std::move(watching);
  if (!watched) co_return std::move(watched).error();
  co_return op_outcome{};
}

// ---- without a handle ----

asio::awaitable<op_result> list_all(environment where) {
  auto all = list_sandboxes(where);
  if (!all) co_return std::move(all).error();
  json_writer out;
  out.open_array();
  for (sandbox_record& record : *all) {
    // What the processes say: nobody is asked, so that one that is stuck keeps nobody waiting.
    auto looking = look_at(where, std::move(record), {.patience = duration::zero()});
    const auto seen = co_await std::move(looking);
    if (seen) write_json(out, *seen);  // else it was removed meanwhile
  }
  op_outcome outcome;
  outcome.payload = out.close_array().take();
  co_return outcome;
}

asio::awaitable<op_result> collect_all(environment where) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto collecting = collect_root_garbage(std::move(where));
  auto gone = co_await std::move(collecting);
  if (gone.failed) co_return std::move(*gone.failed);
  op_outcome outcome;
  json_writer out;
  write_json(out, gone);
  outcome.payload = out.take();
  co_return outcome;
}

}  // namespace berth::capi
