// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/text.hpp>
#include <berth/impl/sandbox/root_marker.ipp>
#include <berth/process/pidfd.hpp>
#include <berth/process/spawn.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/name_service.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

namespace berth {

namespace detail {

BERTH_DECL std::string names_line(const berth::refused_name& name) {
  return name.name + " " + std::to_string(name.questions) + " " + std::to_string(name.ago.count()) + "\n";
}

BERTH_DECL std::vector<berth::refused_name> parse_names_lines(std::string_view text) {
  std::vector<berth::refused_name> out;
  std::istringstream lines{std::string(text)};
  std::string name;
  std::uint64_t questions = 0;
  std::int64_t ago = 0;
  while (lines >> name >> questions >> ago) out.push_back({name, questions, std::chrono::seconds(ago)});
  return out;
}

/// The answer of the process that answers for this root; empty where there is none.
inline std::string ask_names(const std::string& root, std::string_view question) {
  // By a descriptor: the path of a socket has 107 characters at most.
  const unique_fd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const unique_fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!directory || !socket) return {};
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + names_socket;
  std::memcpy(place.sun_path, path.c_str(), path.size() + 1);
  const timeval patience{5, 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) return {};
  if (::send(socket.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer(128 * 1024, '\0');
  ssize_t n = 0;
  while ((n = ::recv(socket.get(), answer.data(), answer.size(), 0)) < 0 && errno == EINTR) {
  }
  answer.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return answer;
}

BERTH_DECL void forget_names(const std::string& root) {
  const auto marker = root_marker_file(root);
  if (!marker) return;
  const unique_fd lock(::open(marker->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) (void)::unlink((root + "/" + names_socket).c_str());
}

inline result<void> start_names(const std::string& root, const std::string& init, int lock) {
  // The lock goes with the descriptor: it is that process's from now on.
  spawn_options options;
  options.argv = {init, "names", root};
  options.env = minimal_environment();
  options.fds = {{lock, names_lock_fd}};
  auto started = spawn(options);
  if (!started) return std::move(started).error();
  pollfd ended{started->pidfd.get(), POLLIN, 0};
  while (::poll(&ended, 1, 10'000) < 0 && errno == EINTR) {
  }
  const auto how = child_status(started->pidfd.get(), reap_mode::take);
  if (how && *how && (*how)->success()) return {};
  return make_error(errc::spawn_failed, "sandbox",
                    "the process that answers sandboxes' questions for names did not start", init,
                    "berth-init may be of another release than the library");
}

}  // namespace detail

BERTH_DECL bool needs_names(const sandbox_record& record, const std::string& boot_id) {
  if (record.damaged || record.phase == record_phase::removing || record.boot_id != boot_id) return false;
  if (!record.net || !record.net->egress || record.net->egress->named.empty()) return false;
  return record.phase == record_phase::creating ? record.creator.alive() : record.process_alive();
}

BERTH_DECL result<void> ensure_names(const std::string& root, const std::string& init, const std::string& token) {
  auto marker = detail::root_marker_file(root);
  if (!marker) return std::move(marker).error();
  int started = 0;
  for (const time_point deadline = deadline_after(seconds(10));;) {
    const unique_fd lock(::open(marker->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock) return errno_error(errno, "sandbox", "cannot open the mark of berth's root directory", *marker);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      if (++started > 3)
        return make_error(errc::network_failed, "sandbox",
                          "the process that answers sandboxes' questions for names ends at once: no sandbox needs it",
                          root);
      BERTH_TRY(detail::start_names(root, init, lock.get()));
    } else if (errno != EWOULDBLOCK) {
      return errno_error(errno, "sandbox", "cannot lock the mark of berth's root directory", *marker);
    }
    const std::string answer = detail::ask_names(root, "serve " + token);
    if (answer == "done\n") return {};
    if (!answer.empty())
      return make_error(errc::network_failed, "sandbox",
                        "the sandbox's questions for names cannot be answered: " + answer.substr(0, answer.find('\n')));
    // It is on its way, or just ends.
    if (clock::now() >= deadline)
      return make_error(errc::timeout, "sandbox",
                        "the process that answers sandboxes' questions for names does not answer",
                        root + "/" + names_socket, "end it, berth-init names, by hand: it is started again");
    ::usleep(5'000);
  }
}

BERTH_DECL void revive_names(const environment& where, const std::string& root,
                             const std::vector<sandbox_record>& records) {
  const std::string boot_id = read_boot_id();
  for (const sandbox_record& record : records) {
    if (!needs_names(record, boot_id)) continue;
    const auto marker = detail::root_marker_file(root);
    if (!marker) return;
    const unique_fd lock(::open(marker->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;  // it runs
    if (auto init = find_init(where)) (void)detail::start_names(root, *init, lock.get());
    return;
  }
}

BERTH_DECL std::vector<refused_name> list_refused_names(const std::string& root, const std::string& token) {
  const std::string answer = detail::ask_names(root, "refused " + token);
  if (!answer.starts_with("done\n")) return {};
  return detail::parse_names_lines(std::string_view(answer).substr(5));
}

}  // namespace berth
