#include "lookup.hpp"

#include <berth/docker/client.hpp>
#include <berth/readiness/poll.hpp>
#include <berth/readiness/probe.hpp>

namespace berth::cli {

result<std::shared_ptr<sandbox>> find_sandbox(const environment& where, const std::string& id) {
  auto found = sandbox::attach(where, id);
  if (found) return found;
  error e = std::move(found).error();
  if (e.code == errc::not_found || e.code == errc::invalid) {
    // An id that cannot be one names nothing.
    e = make_error(errc::not_found, "cli", "no sandbox is called '" + id + "'", {}, "berth ls shows those that there are");
  }
  return e;
}

int fail_lookup(const error& e, const invocation& call) {
  const int code = fail(e, call);
  return e.layer == "cli" && e.code == errc::not_found ? int{exit_not_found} : code;
}

boost::asio::awaitable<sandbox_view> view_sandbox(environment where, sandbox_record record) {
  sandbox_view out;
  out.record = std::move(record);
  out.state = "damaged";
  if (out.record.damaged) co_return out;
  out.state = "unknown";
  if (auto box = sandbox::attach(where, out.record.id)) {
    const auto state = co_await (*box)->state();
    if (state) out.state = sandbox_state_name(*state);
  }
  if (auto status = read_status(out.record.directory)) out.status = std::move(*status);
  co_return out;
}

std::string docker_word(const sandbox_view& view) {
  if (!view.status || !view.status->docker_wanted) return "-";
  for (const auto ended : {sandbox_state::stopped, sandbox_state::lost})
    if (view.state == sandbox_state_name(ended)) return "stopped";
  // A keeper that was killed can say nothing new.
  if (!view.status->keeper.alive()) return "unsupervised";
  return std::string(daemon_state_name(view.status->docker));
}

json view_json(const sandbox_view& view) {
  const sandbox_record& r = view.record;
  json out = json::object();
  out.set("id", r.id).set("state", view.state).set("directory", r.directory);
  if (r.damaged) return std::move(out.set("damage", r.damage));
  out.set("created", format_time(r.created_ms)).set("phase", record_phase_name(r.phase)).set("rootfs", r.rootfs);
  json network = json::object();
  network.set("mode", network_mode_name(r.network));
  if (!r.network_path.empty()) network.set("path", r.network_path);
  if (r.net) network.set("address", r.net->address()).set("gateway", r.net->gateway()).set("mtu", r.net->mtu);
  if (view.rules) network.set("rules", *view.rules);
  out.set("network", std::move(network)).set("cpus", r.cpus).set("memory_bytes", r.memory_bytes);
  out.set("sandbox_pid", r.process_alive() ? r.sandbox_process.pid : 0);
  json creator = json::object();
  creator.set("pid", r.creator.pid).set("alive", r.boot_id == read_boot_id() && r.creator.alive());
  out.set("creator", std::move(creator)).set("runsc", r.runsc).set("container_id", r.container_id());
  json annotations = json::object();
  for (const auto& [key, value] : r.annotations) annotations.set(key, value);
  out.set("annotations", std::move(annotations));
  if (view.status) {
    json keeper = json::object();
    keeper.set("pid", view.status->keeper.pid).set("alive", view.status->keeper.alive());
    out.set("keeper", std::move(keeper)).set("detached", view.status->detached);
    out.set("docker", docker_json(*view.status)).set("command", command_json(*view.status));
  }
  return out;
}

result<std::string> check_docker_socket(const sandbox& box) {
  std::string path = box.shared_path(docker_socket_name);
  if (auto checked = check_host_socket(path); !checked) {
    error e = std::move(checked).error();
    if (e.code == errc::not_found)
      e.hint = "was it made with --docker, and is Docker ready? berth status " + box.id() + " tells";
    return e;
  }
  return path;
}

boost::asio::awaitable<result<void>> wait_for_docker(std::shared_ptr<sandbox> box, duration limit) {
  const std::string directory = box->record().directory;
  error settled;  // what the keeper reported when there is nothing more to wait for
  const auto look = [&]() -> bool {
    const auto status = read_status(directory);
    if (!status) return false;
    if (status->failure && status->docker_settled()) {
      settled = status->failure->why;
    } else if (!status->docker_wanted) {
      settled = make_error(errc::state, "docker", "this sandbox was made without Docker", {}, "make it with --docker");
    } else if (const auto record = read_record(directory);
               record && record->phase == record_phase::running && !record->process_alive()) {
      settled = make_error(errc::sandbox_not_running, "sandbox", "the sandbox does not run any more", box->id(),
                           "remove it: berth rm " + box->id());
    } else if (status->docker == daemon_state::stopped) {
      settled = make_error(errc::daemon_failed, "docker", "Docker in this sandbox was stopped");
    } else if (!status->keeper.alive()) {
      settled = make_error(errc::daemon_failed, "docker", "the process that kept this sandbox is gone", {},
                           "remove it by berth rm " + box->id() + " or berth gc");
    } else {
      return false;
    }
    return true;
  };
  if (look()) co_return settled;

  socket_address where;
  where.unix_path = box->shared_path(docker_socket_name);
  where.guarded = true;
  const auto question = make_http_probe(where, "/_ping");
  exit_notice given_up;
  poll_options options;
  options.deadline = deadline_after(limit);
  options.on_attempt = [&](std::uint32_t, const probe_outcome&) {
    if (look()) given_up.set({});
  };
  const poll_result polled = co_await poll_until_ready(*question, options, &given_up);
  if (polled.ready()) co_return result<void>();
  if (polled.status == errc::process_exited) co_return settled;
  if (polled.status == errc::timeout) {
    // Not by state(), which asks a sandbox that may be stuck, and time is up.
    const auto record = read_record(directory);
    if (!record || (record->phase != record_phase::creating && !record->process_alive()))
      co_return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is not running", box->id());
    co_return make_error(errc::daemon_not_ready, "docker",
                         "Docker was not ready within " + format_seconds(std::chrono::duration<double>(limit).count()) +
                             (polled.last.message.empty() ? "" : ": " + polled.last.message),
                         {}, "berth logs --daemon " + box->id() + " shows what dockerd says");
  }
  co_return polled.last;
}

}  // namespace berth::cli
