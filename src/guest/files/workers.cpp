// SPDX-License-Identifier: Apache-2.0
#include "workers.hpp"

#include "operations.hpp"

#include "base/pause.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <utility>

namespace berth::guest {
namespace {

// A host that comes back later starts another, in a millisecond or two.
constexpr int idle_ms = 30'000;
constexpr std::size_t most_workers = 256;
constexpr int answer_ms = 100;  // an answer is a few bytes; the guest does nothing else meanwhile

result<void> perform(host_link& host, const guest_file_request& wanted) {
  using verb = guest_file_request::verb;
  host.expect_input(wanted.what == verb::write || wanted.what == verb::unpack);
  switch (wanted.what) {
    case verb::read: return read_content(host, wanted);
    case verb::write: return write_content(host, wanted);
    case verb::list: return list_directory(host, wanted);
    case verb::stat: return tell_status(host, wanted);
    case verb::remove: return remove_path(wanted);
    case verb::make_directory: return make_directory(wanted);
    case verb::rename: return rename_path(wanted);
    case verb::pack: return pack_tree(host, wanted);
    case verb::unpack: return unpack_tree(host, wanted);
  }
  return file_error(EINVAL, "not a request about files", wanted.path);
}

bool answer(host_link& host, const result<void>& outcome) {
  guest_file_answer done;
  if (!outcome) {
    const error& e = outcome.error();
    const int otherwise = e.code == errc::permission ? EPERM : EINVAL;
    done.sys_errno = static_cast<std::uint32_t>(e.sys_errno != 0 ? e.sys_errno : otherwise);
    done.message = e.message;
    done.path = e.path;
  }
  return host.say(guest_frame_kind::file_answer, encode(done)) && host.drop_input();
}

/// Nothing of the guest's is held by who stays but the connection.
unique_fd keep_only(int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "berth-files", 0, 0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  unique_fd own(3);
  if (socket != 3) ::dup3(socket, 3, O_CLOEXEC);
  ::close_range(4, ~0U, 0);
  // A directory in another is a descriptor more.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  return own;
}

}  // namespace

file_workers::~file_workers() { end_all(); }

// Until the host has gone, or has had nothing to ask for a while.
void file_workers::serve(host_link& host, std::string request, std::atomic<work>& now) {
  for (;;) {
    const auto wanted = decode_guest<guest_file_request>(request);
    if (!wanted) {
      (void)answer(host, file_error(EINVAL, wanted.error().message.c_str(), {}));
      return;
    }
    const auto outcome = perform(host, *wanted);
    now = work::answer;
    const bool answered = answer(host, outcome);
    now = work::none;
    if (!answered) return;
    const auto frame = host.next(idle_ms);
    if (!frame || frame->kind != guest_frame_kind::file) return;
    now = work::request;  // not of one whose host has gone: that is about to end
    request = frame->payload;
  }
}

int file_workers::start(int socket, const guest_frame_reader& reader, const std::string& unsent,
                        std::string_view request) {
  if (workers_.size() >= most_workers) return EAGAIN;
  void* memory = ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  auto* seen = new (memory) shared;
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int err = errno;
    ::munmap(memory, sizeof(shared));
    return err;
  }
  if (pid == 0) {
    try {
      std::string first(request);
      host_link host(keep_only(socket), reader, unsent);
      serve(host, std::move(first), seen->now);
    } catch (...) {  // memory: the connection's end tells
    }
    ::_exit(0);
  }
  workers_[pid] = seen;
  return 0;
}

void file_workers::forget(pid_t pid) {
  const auto at = workers_.find(pid);
  if (at == workers_.end()) return;
  ::munmap(at->second, sizeof(shared));
  workers_.erase(at);
}

bool file_workers::some_answer() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& one) { return one.second->now == work::answer; });
}

std::size_t file_workers::busy() const {
  for (int waited = 0; waited < answer_ms && some_answer(); ++waited) pause_for(1);
  std::size_t n = 0;
  for (const auto& [pid, seen] : workers_) n += seen->now != work::none ? 1 : 0;
  return n;
}

void file_workers::end_all() {
  for (const auto& [pid, seen] : workers_) ::kill(pid, SIGKILL);
  while (!workers_.empty()) {
    const pid_t pid = workers_.begin()->first;
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    forget(pid);
  }
}

}  // namespace berth::guest
