// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/docker/client.hpp>
#include <berth/docker/daemon_probe.hpp>
#include <berth/docker/plan.hpp>
#include <berth/managed/docker_sandbox.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/readiness/poll.hpp>
#include <berth/sandbox/find_runsc.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <chrono>
#include <cstdio>

namespace berth {
namespace detail {

inline bool has_ended(const std::string& directory) {
  const auto record = read_record(directory);
  return !record || (record->phase != record_phase::creating && !record->lives());
}

inline error ended_error(const sandbox& box) {
  return not_running_error(box.record(), "the sandbox does not run any more", hints::remove_sandbox(box.id()));
}

inline error not_ready_error(const sandbox& box, duration waited, const std::string& why) {
  char seconds_of_it[32];
  std::snprintf(seconds_of_it, sizeof seconds_of_it, "%.1f s", std::chrono::duration<double>(waited).count());
  return make_error(errc::daemon_not_ready, "docker",
                    std::string("Docker was not ready within ") + seconds_of_it + (why.empty() ? "" : ": " + why), {},
                    hints::dockerd_log(box.id()));
}

// Docker that a program on the host supervises. Errors: again, where the sandbox turns out to keep it itself.
inline boost::asio::awaitable<result<void>> wait_for_socket(std::shared_ptr<sandbox> box, time_point deadline) {
  const time_point began = clock::now();
  const std::string directory = box->record().directory;
  if (has_ended(directory)) co_return ended_error(*box);
  const auto question = make_docker_ping_probe(box->shared_path(docker_socket_name));
  exit_notice given_up;
  poll_options options;
  options.deadline = deadline;
  options.on_attempt = [&](std::uint32_t, const probe_outcome&) {
    if (has_ended(directory) || read_purpose(directory)) given_up.set({});
  };
  const poll_result polled = co_await poll_until_ready(*question, options, &given_up);
  if (polled.ready()) co_return result<void>();
  if (polled.status == errc::process_exited && has_ended(directory)) co_return ended_error(*box);
  if (polled.status == errc::process_exited) co_return make_error(errc::again, "managed", "it keeps its Docker itself");
  if (polled.status == errc::timeout) co_return not_ready_error(*box, clock::now() - began, polled.last.message);
  error why = polled.last;
  why.code = polled.status;
  co_return why;
}

// Through the guest, so that snapshots and their copies have them too.
inline boost::asio::awaitable<result<void>> write_files(std::shared_ptr<sandbox> box, std::vector<docker_file> files) {
  for (docker_file& file : files) {
    file_write_options how;
    how.mode = static_cast<std::uint32_t>(file.mode);
    how.parents = true;
    auto writing = box->files().write_all(std::move(file.path), std::move(file.content), how);
    BERTH_CO_TRY(co_await std::move(writing));
  }
  co_return result<void>();
}

inline boost::asio::awaitable<result<std::shared_ptr<sandbox>>> make_whole_sandbox(environment where,
                                                                                   sandbox_config config,
                                                                                   std::optional<docker_recipe> docker,
                                                                                   sandbox_purpose purpose) {
  purpose.docker = docker.has_value();
  std::vector<docker_file> files;
  if (docker) {
    auto reading = read_registry_files(docker->registries, config.rootfs, deadline_after(config.create_timeout));
    auto read = co_await std::move(reading);
    if (!read) co_return std::move(read).error();
    files = std::move(*read);
    if (config.hibernate) {
      auto finding = find_sandbox_runsc(where, deadline_after(config.create_timeout));
      const auto binary = co_await std::move(finding);
      if (!binary) co_return binary.error();
      BERTH_CO_TRY(check_docker_is_restored(binary->version()));
    }
    auto adding = add_docker(config, std::move(*docker), where);
    BERTH_CO_TRY(co_await std::move(adding));
  }
  auto making = sandbox::create(std::move(where), std::move(config));
  auto made = co_await std::move(making);
  if (!made) co_return made;
  auto prepared = write_purpose((*made)->record().directory, purpose);
  if (prepared) {
    auto writing = write_files(*made, std::move(files));
    prepared = co_await std::move(writing);
  }
  if (prepared) co_return made;
  auto ending = past_cancellation((*made)->terminate());
  (void)co_await std::move(ending);
  co_return std::move(prepared).error();
}

}  // namespace detail

BERTH_DECL docker_recipe docker_in_memory() {
  docker_recipe recipe;
  recipe.data_root.emplace();
  return recipe;
}

BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> make_sandbox(environment where,
                                                                                 sandbox_config config,
                                                                                 std::optional<docker_recipe> docker,
                                                                                 sandbox_purpose purpose) {
  // What was made is removed again where the rest fails: a cancellation must not throw past that.
  auto making = detail::make_whole_sandbox(std::move(where), std::move(config), std::move(docker), std::move(purpose));
  co_return co_await cancellation_as_error(std::move(making));
}

BERTH_DECL docker_sandbox::docker_sandbox(environment where, std::shared_ptr<sandbox> box)
    : where_(std::move(where)), box_(std::move(box)), guest_(box_, where_.log) {}

BERTH_DECL boost::asio::awaitable<result<docker_sandbox>> docker_sandbox::create(environment where,
                                                                                 sandbox_config config,
                                                                                 docker_settings docker) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto making = make_sandbox(where, std::move(config), docker.recipe, {});
  auto made = co_await std::move(making);
  if (!made) co_return std::move(made).error();
  docker_sandbox out(std::move(where), std::move(*made));
  auto starting = out.start(std::move(docker));
  auto started = co_await std::move(starting);
  if (started) co_return out;
  // A Docker that did not come up has nothing to be stopped in order.
  auto ending = past_cancellation(out.box_->terminate());
  (void)co_await std::move(ending);
  co_return std::move(started).error();
}

BERTH_DECL result<docker_sandbox> docker_sandbox::attach(environment where, std::string id) {
  auto found = sandbox::attach(where, std::move(id));
  if (!found) return std::move(found).error();
  return docker_sandbox(std::move(where), std::move(*found));
}

BERTH_DECL result<supervisor_options> docker_sandbox::options_for(docker_settings docker) const {
  auto out = docker_supervisor_options(*box_, docker.recipe);
  if (!out) return out;
  out->plan.dockerd_args = registry_arguments(docker.recipe.registries);
  out->plan.dockerd_args.insert(out->plan.dockerd_args.end(), std::make_move_iterator(docker.dockerd_args.begin()),
                                std::make_move_iterator(docker.dockerd_args.end()));
  out->plan.env = std::move(docker.env);
  out->ready_timeout = docker.ready_timeout;
  out->restart = docker.restart;
  return out;
}

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::start(docker_settings docker,
                                                                      std::optional<command> run) {
  auto options = options_for(std::move(docker));
  if (!options) co_return std::move(options).error();
  auto starting = guest_.start(std::move(*options), std::move(run));
  co_return co_await std::move(starting);
}

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::begin(std::optional<docker_settings> docker,
                                                                      std::optional<command> run) {
  std::optional<supervisor_options> options;
  if (docker) {
    auto made = options_for(std::move(*docker));
    if (!made) co_return std::move(made).error();
    options = std::move(*made);
  }
  auto beginning = guest_.begin(std::move(options), std::move(run));
  co_return co_await std::move(beginning);
}

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::wait_ready(time_point deadline, daemon_status* last) {
  const time_point began = clock::now();
  daemon_status nowhere;
  daemon_status& seen = last != nullptr ? *last : nowhere;
  for (;;) {
    const auto record = read_record(box_->record().directory);
    if (!record && record.error().code == errc::not_found) co_return detail::ended_error(*box_);
    if (!record) co_return record.error();
    const auto purpose = read_purpose(record->directory);
    const auto guest = read_guest_status(*record);
    seen = guest ? guest->docker : daemon_status();
    const bool is_over = record->phase != record_phase::creating && !record->lives();
    if (is_over) {
      // What it ended of, where its guest has told.
      if (seen.state == daemon_state::failed && seen.failure) co_return seen.failure->to_error();
      co_return detail::ended_error(*box_);
    }
    if (seen.state != daemon_state::disabled) {
      const auto told = std::exchange(guest_.on_status, [&seen](const guest_status& now) { seen = now.docker; });
      auto waiting = guest_.wait_ready(deadline);
      auto ready = co_await std::move(waiting);
      guest_.on_status = told;
      if (ready) co_return ready;
      if (ready.error().code == errc::timeout) co_return detail::not_ready_error(*box_, clock::now() - began, {});
      if (record->lives()) co_return ready;
      continue;  // it ended meanwhile, and has left word
    }
    if (purpose && !purpose->docker)
      co_return make_error(errc::state, "docker", "this sandbox was made without Docker", box_->id(),
                           hints::with_docker());
    if (!purpose && record->phase == record_phase::running) {
      auto asking = detail::wait_for_socket(box_, deadline);
      auto asked = co_await std::move(asking);
      if (asked) seen.state = daemon_state::ready;
      if (asked || asked.error().code != errc::again) co_return asked;
      continue;
    }
    if (clock::now() >= deadline)
      co_return detail::not_ready_error(
          *box_, clock::now() - began,
          record->phase == record_phase::creating ? "the sandbox is still being made" : "nobody has started it");
    const milliseconds pause(5);
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "managed", "cancelled");
  }
}

BERTH_DECL boost::asio::awaitable<daemon_status> docker_sandbox::docker_status() {
  const time_point soon = deadline_after(milliseconds(500));
  daemon_status now;
  const auto kept = read_guest_status(box_->record());
  if (kept) now = kept->docker;
  // Who is paused answers nothing, and who is asleep is not to be woken by a look.
  if (kept && (now.state != daemon_state::ready || box_->is_paused())) co_return now;
  if (!box_->record().shared_directory) co_return now;
  // Nobody has started one, where there is no socket either.
  if (!kept && !check_host_socket(box_->shared_path(docker_socket_name))) co_return now;
  auto asking = guest_.answers(soon);
  const bool answers = co_await std::move(asking);
  // One that was ready ended just now, which the guest is about to hear.
  if (kept && !answers) now.state = daemon_state::starting;
  if (!kept && answers) now.state = daemon_state::ready;
  co_return now;
}

BERTH_DECL boost::asio::awaitable<result<command_result>> docker_sandbox::docker(std::vector<std::string> args,
                                                                                 time_point deadline) {
  return run_docker(*box_, std::move(args), deadline);
}

BERTH_DECL boost::asio::awaitable<result<sandbox_ports>> docker_sandbox::ports(time_point deadline) {
  sandbox_ports out;
  if (box_->record().net) out.published = box_->record().net->ports;
  auto looking = docker_status();
  const daemon_status now = co_await std::move(looking);
  if (now.state != daemon_state::ready) co_return out;
  // Tabs and newlines are in no name of Docker's.
  std::vector<std::string> ps{"ps", "--no-trunc", "--format", "{{.ID}}\t{{.Names}}\t{{.Ports}}"};
  auto asking = docker(std::move(ps), deadline);
  auto said = co_await std::move(asking);
  if (!said) co_return std::move(said).error();
  out.containers = parse_container_ports(said->out);
  co_return out;
}

namespace detail {

/// Nothing where there is no such file, or no number in it.
inline boost::asio::awaitable<result<std::optional<std::uint64_t>>> read_cgroup_number(guest_files files,
                                                                                       std::string path) {
  auto reading = files.read_all(std::move(path), 64);
  const auto text = co_await std::move(reading);
  // errno's of the sandbox: a container that has ended meanwhile, a controller that is not there, a file of another kind.
  if (!text && text.error().layer == "files") co_return std::optional<std::uint64_t>();
  if (!text) co_return text.error();
  co_return parse_cgroup_number(*text);
}

inline boost::asio::awaitable<result<void>> read_container_stats(guest_files files, std::vector<container_stats>& all) {
  constexpr std::uint64_t no_limit = 1ull << 62;
  for (container_stats& one : all) {
    const std::pair<const char*, std::optional<std::uint64_t>*> wanted[] = {
        {"/memory.usage_in_bytes", &one.memory_bytes},
        {"/memory.limit_in_bytes", &one.memory_limit_bytes},
        {"/cpuacct.usage", &one.cpu_ns},
        {"/pids.current", &one.processes}};
    for (const auto& [file, number] : wanted) {
      const std::string_view name(file);
      // Links to the one hierarchy, where all controllers are in one.
      const std::string controller(name.substr(1, name.find('.') - 1));
      std::string path = "/sys/fs/cgroup/" + controller + "/docker/" + one.container + file;
      auto reading = read_cgroup_number(files, std::move(path));
      auto read = co_await std::move(reading);
      if (!read) co_return std::move(read).error();
      *number = *read;
    }
    if (one.memory_limit_bytes.value_or(0) >= no_limit) one.memory_limit_bytes.reset();
  }
  co_return result<void>();
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<std::vector<container_stats>>> docker_sandbox::container_stats(
    time_point deadline) {
  std::vector<std::string> ps{"ps", "--no-trunc", "--format", "{{.ID}}\t{{.Names}}"};
  auto asking = docker(std::move(ps), deadline);
  auto said = co_await std::move(asking);
  if (!said) co_return std::move(said).error();
  auto all = parse_running_containers(said->out);
  auto reading = until_deadline(detail::read_container_stats(files(), all), deadline);
  auto read = co_await std::move(reading);
  if (!read) co_return std::move(read).error();
  co_return all;
}

BERTH_DECL boost::asio::awaitable<result<sandbox_status>> docker_sandbox::status(status_options options) {
  return look_at(where_, box_->record(), options);
}

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::events(std::function<void(const sandbox_event&)> tell,
                                                                       bool follow, time_point deadline) {
  guest_daemon guest(box_);
  guest.on_event = std::move(tell);
  std::function<bool(const guest_status&)> go_on = [follow](const guest_status&) { return follow; };
  auto watching = guest.watch(std::move(go_on), deadline);
  co_return co_await std::move(watching);
}

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::stop_docker(time_point deadline) {
  return guest_.stop(deadline);
}

}  // namespace berth
