// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/first_failure.hpp>
#include <berth/base/hints.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/managed/docker_sandbox.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/process.hpp>
#include <berth/process/spawn.hpp>
#include <berth/snapshot/detail/pool_directory.hpp>
#include <berth/snapshot/detail/task_group.hpp>
#include <berth/snapshot/pool.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>

namespace berth {
namespace detail {

/// Which snapshot this is: another may have its name by now.
inline std::string source_of(const stored_snapshot& snapshot) {
  return snapshot.manifest.name + " " + std::to_string(snapshot.manifest.created_ms);
}

inline boost::asio::awaitable<void> end_unused(std::shared_ptr<sandbox> box) {
  auto ending = past_cancellation(box->terminate());
  (void)co_await std::move(ending);
}

struct ready_copy {
  std::shared_ptr<sandbox> box;
  bool docker = false;
};

/// A copy whose Docker, if it has one, is ready. Cancelled or failed, nothing is left.
inline boost::asio::awaitable<result<ready_copy>> restore_ready(environment where, std::string snapshot,
                                                                restore_options options) {
  auto restoring = restore_snapshot(where, std::move(snapshot), std::move(options));
  auto made = co_await cancellation_as_error(std::move(restoring));
  if (!made) co_return std::move(made).error();
  ready_copy out{std::move(*made)};
  const auto purpose = read_purpose(out.box->record().directory);
  out.docker = purpose && purpose->docker;
  if (!out.docker) co_return out;
  docker_sandbox docker(where, out.box);
  auto waiting = docker.wait_ready(deadline_after(seconds(30)));
  auto ready = co_await cancellation_as_error(std::move(waiting));
  if (ready) co_return out;
  auto ending = end_unused(out.box);
  co_await std::move(ending);
  co_return std::move(ready).error();
}

/// What goes on while a pool is filled.
struct pool_filling {
  pool_filling(environment place, pool_directory which)
      : where(std::move(place)), pool(std::move(which)), plan(pool.settings().rate) {}
  environment where;
  pool_directory pool;
  pool_plan plan;
  std::optional<error> failure;  // the last
};

inline boost::asio::awaitable<result<void>> make_pool_member(std::shared_ptr<pool_filling> filling) {
  restore_options options;
  options.watch_creator = true;
  options.pool = record_pool{filling->pool.settings().name, filling->pool.source()};
  std::string snapshot = filling->pool.settings().snapshot;
  environment quiet = filling->where;  // what the guest says of a Docker that was ready all along
  quiet.log = {};
  auto restoring = restore_ready(std::move(quiet), std::move(snapshot), std::move(options));
  auto made = co_await std::move(restoring);
  if (!made) co_return std::move(made).error();
  // A hundred dockerds that do nothing keep two CPUs busy. Where it cannot fall asleep it waits awake.
  auto resting = made->box->set_idle_timeout(seconds(1));
  const auto rests = co_await std::move(resting);
  if (!rests)
    log(filling->where.log, log_level::debug, "a sandbox waits awake in its pool",
        {{"id", made->box->id()}, {"error", rests.error().to_string()}});
  // From here on it waits, and whoever stops the pool finds it; or has done so already.
  auto handing = made->box->hand_over();
  auto done = co_await std::move(handing);
  if (done && filling->pool.is_there()) co_return done;
  auto ending = end_unused(made->box);
  co_await std::move(ending);
  if (done) co_return make_error(errc::cancelled, "pool", "the pool was stopped", filling->pool.settings().name);
  co_return done;
}

inline boost::asio::awaitable<void> fill_one(std::shared_ptr<pool_filling> filling) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const time_point began = clock::now();
  auto making = make_pool_member(filling);
  auto made = co_await std::move(making);
  if (made) {
    filling->plan.succeeded();
    const std::int64_t took = std::chrono::duration_cast<milliseconds>(clock::now() - began).count();
    filling->pool.count([took](pool_figures& f) {
      ++f.made;
      f.refill_ms = took;
      f.failure.clear();
    });
    co_return;
  }
  filling->plan.failed(clock::now());
  if (made.error().code == errc::cancelled) co_return;
  filling->failure = made.error();
  const std::string why = made.error().to_string();
  filling->pool.count([&why](pool_figures& f) {
    ++f.failed;
    f.failure = why.substr(0, 4096);
  });
}

/// Removes what is of no use in the pool any more, and counts what is.
inline boost::asio::awaitable<result<int>> tidy_pool(std::shared_ptr<pool_filling> filling) {
  auto members = pool_members(filling->where, filling->pool.settings().name);
  if (!members) co_return std::move(members).error();
  int ready = 0;
  for (const sandbox_record& one : *members) {
    if (!one.waits_in_pool()) continue;  // being made, or removed
    const bool fit = is_ready_in_pool(one, filling->pool.source());
    if (fit && ready < filling->pool.settings().rate.size) {
      ++ready;
      continue;
    }
    auto box = sandbox::attach(filling->where, one.id);
    if (!box || (*box)->record().token != one.token || !(*box)->record().waits_in_pool()) continue;
    if (!fit && one.pool->source == filling->pool.source()) filling->pool.count([](pool_figures& f) { ++f.lost; });
    // Nobody gets it meanwhile, but who was quicker keeps it.
    auto claiming = (*box)->claim({});
    const auto claimed = co_await std::move(claiming);
    if (!claimed && one.process_alive()) continue;
    auto ending = end_unused(*box);  // it is nobody's by now
    co_await std::move(ending);
  }
  co_return ready;
}

inline boost::asio::awaitable<result<void>> fill_pool(std::shared_ptr<pool_filling> filling, task_group& making) {
  pool_directory& pool = filling->pool;
  for (;;) {
    if (!pool.is_there()) co_return result<void>();
    BERTH_CO_TRY(pool.read());
    filling->plan.change(pool.settings().rate);
    auto tidying = tidy_pool(filling);
    auto ready = co_await std::move(tidying);
    if (!ready) co_return std::move(ready).error();
    const pool_step step = filling->plan.next(*ready, clock::now());
    if (step.what == pool_step::kind::full) co_return result<void>();
    if (step.what == pool_step::kind::give_up) {
      error why = make_error(errc::internal, "pool", "no sandbox could be made");
      if (filling->failure) why = *filling->failure;
      co_return why;
    }
    if (step.what == pool_step::kind::make) {
      const auto snapshot = find_snapshot(filling->where, pool.settings().snapshot);
      if (!snapshot) co_return snapshot.error();
      if (source_of(*snapshot) != pool.source())
        co_return make_error(errc::unsupported, "pool",
                             "the pool's snapshot was made anew: it has copies of the one before",
                             pool.settings().snapshot, "stop the pool, and start it again");
      filling->plan.began(clock::now());
      making.spawn(fill_one(filling));
      continue;
    }
    // Now and then it is seen whether the pool was stopped.
    auto waiting = making.wait(std::min(step.until, deadline_after(seconds(1))));
    const bool going_on = co_await std::move(waiting);
    if (!going_on) co_return make_error(errc::cancelled, "pool", "cancelled while the pool was filled");
  }
}

inline boost::asio::awaitable<result<void>> end_members(environment where, std::vector<sandbox_record> members) {
  task_group ending(co_await boost::asio::this_coro::executor);
  const auto first = std::make_shared<first_failure>();
  for (const sandbox_record& one : members) {
    auto box = sandbox::attach(where, one.id);
    if (!box || (*box)->record().token != one.token) continue;
    if (!(*box)->record().damaged && !(*box)->record().pool) continue;  // it was taken
    auto end = [](std::shared_ptr<sandbox> it, std::shared_ptr<first_failure> failed) -> boost::asio::awaitable<void> {
      auto work = it->terminate();
      failed->keep(co_await std::move(work));
    };
    ending.spawn(end(*box, first));
  }
  auto draining = ending.drain(false);
  const bool whole = co_await std::move(draining);
  if (!whole) co_return make_error(errc::cancelled, "pool", "cancelled");
  co_return first->take();
}

inline boost::asio::awaitable<result<taken_sandbox>> take_of_pool(environment where, std::string name,
                                                                  take_options what) {
  auto pool = pool_directory::open(where, name);
  if (!pool) co_return std::move(pool).error();
  taken_sandbox out;
  // Somebody may be quicker, or have one locked for something else: then there may be others in a moment.
  bool again = true;
  for (int attempt = 0; attempt < 20 && again && !out.box; ++attempt) {
    // One that is just falling asleep is locked for some 50 ms.
    if (attempt != 0) {
      const milliseconds pause(25);
      const bool waited = co_await pause_for(pause);
      if (!waited) co_return make_error(errc::cancelled, "pool", "cancelled");
    }
    again = false;
    auto members = pool_members(where, name);
    if (!members) co_return std::move(members).error();
    for (const sandbox_record& one : *members) {
      if (!is_ready_in_pool(one, pool->source())) continue;
      auto box = sandbox::attach(where, one.id);
      if (!box || (*box)->record().token != one.token || !(*box)->record().waits_in_pool()) continue;
      pool_claim claim = what;
      auto claiming = (*box)->claim(std::move(claim));
      auto claimed = co_await std::move(claiming);
      if (claimed) {
        out.box = std::move(*box);
        out.was_ready = true;
        break;
      }
      if (claimed.error().code == errc::again) again = true;
      else if (claimed.error().code != errc::not_found) co_return std::move(claimed).error();
    }
  }
  if (out.box) {
    const auto purpose = read_purpose(out.box->record().directory);
    out.docker = purpose && purpose->docker;
    pool->count([](pool_figures& f) { ++f.handed_out; });
    if (!what.egress) co_return out;
    auto changing = out.box->set_egress(std::move(*what.egress));
    auto changed = co_await std::move(changing);
    if (changed) co_return out;
    auto ending = end_unused(out.box);
    co_await std::move(ending);
    co_return std::move(changed).error();
  }
  restore_options options = what.to_restore();
  options.ends_with_creator = true;
  std::string snapshot = pool->settings().snapshot;
  auto restoring = restore_ready(where, std::move(snapshot), std::move(options));
  auto made = co_await std::move(restoring);
  if (!made) co_return std::move(made).error();
  out.box = std::move(made->box);
  out.docker = made->docker;
  pool->count([](pool_figures& f) { ++f.missed; });
  co_return out;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<sandbox_pool>> sandbox_pool::start(environment where, pool_settings settings) {
  BERTH_CO_TRY(check_pool_settings(settings));
  auto snapshot = find_snapshot(where, settings.snapshot);
  if (!snapshot) co_return std::move(snapshot).error();
  const std::string source = detail::source_of(*snapshot);
  for (int attempt = 0;; ++attempt) {
    auto there = detail::pool_directory::open(where, settings.name);
    if (!there && there.error().code != errc::not_found) co_return std::move(there).error();
    result<void> done;
    if (!there) {
      if (auto made = detail::pool_directory::make(where, settings, source); !made) done = std::move(made).error();
    } else if (there->source() == source) {
      done = there->write(settings);
    } else if (there->settings().owner && !there->settings().owner.alive()) {
      sandbox_pool old(where, settings.name);
      auto stopping = old.stop();
      BERTH_CO_TRY(co_await std::move(stopping));
      continue;
    } else {
      co_return make_error(
          errc::exists, "pool",
          "there is a pool of this name, with copies of another snapshot: " + there->settings().snapshot, settings.name,
          "choose another name, or " + hints::stop_pool(settings.name));
    }
    if (!done && done.error().code == errc::exists && attempt < 3) continue;  // somebody was quicker
    if (!done) co_return std::move(done).error();
    co_return sandbox_pool(std::move(where), settings.name);
  }
}

BERTH_DECL result<sandbox_pool> sandbox_pool::find(environment where, std::string name) {
  auto there = detail::pool_directory::open(where, name);
  if (!there && there.error().code != errc::record_damaged) return std::move(there).error();
  return sandbox_pool(std::move(where), std::move(name));
}

BERTH_DECL result<sandbox_pool> sandbox_pool::find_to_stop(environment where, std::string name) {
  auto found = find(where, name);
  if (found || found.error().code != errc::not_found) return found;
  const auto left = detail::pool_members(where, name);
  if (!left || left->empty()) return found;
  return sandbox_pool(std::move(where), std::move(name));
}

BERTH_DECL result<pool_status> sandbox_pool::status() const { return find_pool(where_, name_); }

BERTH_DECL restore_options take_options::to_restore() const {
  restore_options all;
  all.annotations = annotations;
  all.egress = egress;
  all.watch_creator = watch_creator;
  all.owner = owner;
  all.lifetime = lifetime;
  all.idle_timeout = idle_timeout;
  all.hibernate = hibernate;
  return all;
}

BERTH_DECL boost::asio::awaitable<result<taken_sandbox>> sandbox_pool::take(take_options what) {
  // What was claimed or made is removed again where the rest fails: a cancellation must not throw past that.
  auto taking = detail::take_of_pool(where_, name_, std::move(what));
  co_return co_await cancellation_as_error(std::move(taking));
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox_pool::refill() {
  const environment where = where_;
  auto pool = detail::pool_directory::open(where, name_);
  if (!pool) co_return std::move(pool).error();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto filling = std::make_shared<detail::pool_filling>(where, std::move(*pool));
  result<void> outcome;
  // Who comes while another fills it leaves it to that one: which, before it ends, looks once more after it has let go.
  while (auto lock = filling->pool.try_lock()) {
    detail::task_group making(co_await boost::asio::this_coro::executor);
    auto work = detail::fill_pool(filling, making);
    outcome = co_await std::move(work);
    auto draining = making.drain(!outcome);
    const bool whole = co_await std::move(draining);
    lock.reset();
    if (outcome && !whole) outcome = make_error(errc::cancelled, "pool", "cancelled while the pool was filled");
    if (!outcome || !filling->pool.is_there()) break;
    auto now = find_pool(where, name_);
    if (!now || static_cast<int>(now->ready.size()) >= filling->pool.settings().rate.size) break;
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox_pool::begin_refill() {
  auto root = root_directory(where_, false);
  if (!root) co_return std::move(root).error();
  auto init = find_init(where_);
  if (!init) co_return std::move(init).error();
  const std::string program = find_command(*init);
  if (program.empty())
    co_return make_error(errc::not_found, "pool", "the berth command, which fills pools, was not found", *init,
                         "install it beside berth-init, or fill the pool by refill()");
  spawn_options options;
  options.argv = {program, "pool", "refill", name_, "--background", "--root", *root};
  if (!where_.runsc.empty()) options.argv.insert(options.argv.end(), {"--runsc", where_.runsc});
  options.env = minimal_environment();
  options.env.push_back("BERTH_INIT=" + *init);
  options.env.push_back("BERTH_NETWORK_POOL=" + where_.network_pool);
  // It leaves a process behind, and ends at once.
  auto running = run_process(std::move(options), stdio_options(), deadline_after(seconds(10)));
  auto done = co_await std::move(running);
  if (!done) co_return std::move(done).error();
  if (!done->status.success())
    co_return make_error(errc::spawn_failed, "pool", "the pool is not filled: " + done->status.to_string(), program);
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox_pool::stop(duration patience) {
  const environment where = where_;
  const std::string name = name_;
  const time_point deadline = deadline_after(patience);
  auto pool = detail::pool_directory::open(where, name);
  std::optional<unique_fd> lock;
  if (pool) {
    BERTH_CO_TRY(pool->retire());
    while (!(lock = pool->try_lock())) {
      if (clock::now() >= deadline)
        co_return make_error(errc::timeout, "pool", "another process is still filling the pool", name, "try again");
      const milliseconds nap(20);
      auto waiting = pause_for(nap);
      if (!co_await std::move(waiting)) co_return make_error(errc::cancelled, "pool", "cancelled");
    }
  } else if (pool.error().code == errc::record_damaged) {
    BERTH_CO_TRY(detail::remove_damaged_pool(where, name));
  } else if (pool.error().code != errc::not_found) {
    co_return std::move(pool).error();
  }
  auto members = detail::pool_members(where, name);
  if (!members) co_return std::move(members).error();
  auto ending = detail::end_members(where, std::move(*members));
  auto ended = co_await std::move(ending);
  if (pool && ended) pool->remove();
  co_return ended;
}

BERTH_DECL boost::asio::awaitable<result<collected_pools>> collect_pools(environment where) {
  collected_pools out;
  (void)detail::remove_retired_pools(where);
  auto pools = list_pools(where);
  if (!pools) co_return std::move(pools).error();
  auto all = list_sandboxes(where);
  if (!all) co_return std::move(all).error();
  for (const pool_status& one : *pools) {
    if (!one.settings.owner || one.settings.owner.alive()) continue;
    auto pool = sandbox_pool::find(where, one.settings.name);
    if (!pool) continue;
    auto stopping = pool->stop();
    BERTH_CO_TRY(co_await std::move(stopping));
    out.pools.push_back(one.settings.name);
    out.sandboxes.insert(out.sandboxes.end(), one.ready.begin(), one.ready.end());
  }
  // Of a pool that is not there any more, or has become one of another snapshot.
  std::vector<sandbox_record> left;
  for (const sandbox_record& one : *all) {
    if (!one.waits_in_pool()) continue;
    const auto of = std::find_if(pools->begin(), pools->end(),
                                 [&one](const pool_status& p) { return p.settings.name == one.pool->name; });
    const bool gone = std::find(out.pools.begin(), out.pools.end(), one.pool->name) != out.pools.end();
    if (gone || (of != pools->end() && of->source == one.pool->source)) continue;
    out.sandboxes.push_back(one.id);
    left.push_back(one);
  }
  auto ending = detail::end_members(where, std::move(left));
  BERTH_CO_TRY(co_await std::move(ending));
  co_return out;
}

}  // namespace berth
