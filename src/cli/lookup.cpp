// SPDX-License-Identifier: Apache-2.0
#include "lookup.hpp"

#include <berth/docker/client.hpp>

namespace berth::cli {

result<std::shared_ptr<sandbox>> find_sandbox(const environment& where, const std::string& id) {
  auto found = sandbox::attach(where, id);
  if (found) return found;
  error e = std::move(found).error();
  if (e.code == errc::not_found || e.code == errc::invalid) {
    // An id that cannot be one names nothing.
    e = make_error(errc::not_found, "cli", "no sandbox is called '" + id + "'", {},
                   "berth ls shows those that there are");
  }
  return e;
}

int fail_lookup(const error& e, const invocation& call) {
  const int code = fail(e, call);
  return e.layer == "cli" && e.code == errc::not_found ? int{exit_not_found} : code;
}

boost::asio::awaitable<sandbox_status> view_sandbox(environment where, sandbox_record record, status_options options) {
  sandbox_status unknown;
  unknown.record = record;
  unknown.state = "unknown";
  auto looking = look_at(std::move(where), std::move(record), options);
  auto seen = co_await std::move(looking);
  co_return seen ? std::move(*seen) : std::move(unknown);
}

std::string docker_word(const sandbox_status& status) {
  return status.wants_docker() ? std::string(daemon_state_name(status.docker().state)) : "-";
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

boost::asio::awaitable<result<void>> wait_for_docker(environment where, std::shared_ptr<sandbox> box, duration limit) {
  docker_sandbox docker(std::move(where), std::move(box));
  auto waiting = docker.wait_ready(deadline_after(limit));
  co_return co_await std::move(waiting);
}

}  // namespace berth::cli
