// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/daemon_probe.hpp>

#include <algorithm>

namespace berth {
namespace detail {

/// The last line that holds anything.
inline std::string last_words(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  const std::size_t start = text.rfind('\n');
  return std::string(start == std::string_view::npos ? text : text.substr(start + 1));
}

// Old clients exit with 0 though the daemon did not answer: the server's version must be there.
inline command docker_info_command(const std::string& socket) {
  command what;
  what.argv = {"sh", "-c",
               "[ -S \"$1\" ] || exit 3; command -v docker >/dev/null || exit 4; "
               "v=$(docker -H \"unix://$1\" info --format '{{.ServerVersion}}') && [ -n \"$v\" ]",
               "berth-probe", socket};
  return what;
}

class docker_info_probe final : public probe {
 public:
  docker_info_probe(executor& where, std::string inside) : where_(where), inside_(std::move(inside)) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    command what = docker_info_command(inside_);
    stdio_options io;
    io.capture_limit = 4096;
    auto ran = co_await run_command(where_, std::move(what), std::move(io), deadline);
    probe_outcome out;
    out.reason.code = errc::again;
    out.reason.layer = "docker";
    if (!ran) {
      out.reason = ran.error();
      if (ran.error().code == errc::cancelled || ran.error().code == errc::sandbox_not_running)
        out.what = probe_outcome::kind::fatal;
      co_return out;
    }
    if (ran->status.success()) {
      out.what = probe_outcome::kind::ready;
      out.connected = true;
    } else if (ran->status == exit_status{3, 0}) {
      out.reason.message = "no socket at " + inside_;
    } else if (ran->status == exit_status{4, 0}) {
      out.what = probe_outcome::kind::fatal;
      out.reason =
          make_error(errc::unsupported, "docker", "there is no docker client inside to ask the daemon with", {},
                     "install the client, or let the host reach the socket (supervisor_options::host_socket)");
    } else {
      out.connected = true;
      out.reason.message = "docker info: " + last_words(ran->err) + " (" + ran->status.to_string() + ")";
    }
    co_return out;
  }

 private:
  executor& where_;
  std::string inside_;
};

class notified_ping_probe final : public probe {
 public:
  notified_ping_probe(notify_socket& notices, std::string socket)
      : notices_(notices), ping_(make_docker_ping_probe(std::move(socket))) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    const time_point patience = std::min(deadline, deadline_after(milliseconds(500)));
    const auto told = co_await notices_.ready(patience);
    if (!told && told.error().code == errc::cancelled) {
      probe_outcome out;
      out.what = probe_outcome::kind::fatal;
      out.reason = told.error();
      co_return out;
    }
    // Unasked for, a dockerd on its way takes the connection and is silent; its notice must not wait behind that.
    co_return co_await ping_->ask(told ? deadline : std::min(deadline, deadline_after(milliseconds(100))));
  }

 private:
  notify_socket& notices_;
  std::unique_ptr<probe> ping_;
};

}  // namespace detail

BERTH_DECL std::unique_ptr<probe> make_docker_ping_probe(std::string host_socket) {
  socket_address where;
  where.unix_path = std::move(host_socket);
  where.guarded = true;
  return make_http_probe(std::move(where), "/_ping");
}

BERTH_DECL std::unique_ptr<probe> make_notified_ping_probe(notify_socket& notices, std::string socket) {
  return std::make_unique<detail::notified_ping_probe>(notices, std::move(socket));
}

BERTH_DECL std::unique_ptr<probe> make_docker_info_probe(executor& where, std::string inside) {
  return std::make_unique<detail::docker_info_probe>(where, std::move(inside));
}

}  // namespace berth
