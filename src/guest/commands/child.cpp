// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include "passwd.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace berth::guest {
namespace {

std::string_view value_of(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

void set_variable(std::vector<std::string>& env, const std::string& entry) {
  const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
  for (std::string& old : env) {
    if (old.size() > name.size() && old[name.size()] == '=' && old.starts_with(name)) {
      old = entry;
      return;
    }
  }
  env.push_back(entry);
}

// The guest's own environment with the command's over it. A HOME that is root's is not another user's: runsc, too, looks
// up the HOME of each command's user where nobody set one.
std::vector<std::string> environment_of(const guest_start& what, std::uint32_t uid) {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  const std::string_view home = value_of(env, "HOME");
  if (home.empty() || (uid != 0 && home == home_of(0))) set_variable(env, "HOME=" + home_of(uid));
  if (what.terminal && value_of(env, "TERM").empty()) env.emplace_back("TERM=xterm");
  for (const std::string& entry : what.env) set_variable(env, entry);
  return env;
}

// Where execve(2) is tried: the program itself, or its name in each directory of PATH.
std::vector<std::string> candidates(const std::string& program, const std::vector<std::string>& env) {
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = value_of(env, "PATH");
  if (path.empty()) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::vector<std::string> all;
  for (;;) {
    const std::string_view directory = path.substr(0, path.find(':'));
    all.push_back((directory.empty() ? std::string(".") : std::string(directory)) + "/" + program);
    if (directory.size() == path.size()) return all;
    path.remove_prefix(directory.size() + 1);
  }
}

std::vector<char*> c_array(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

struct pipe_ends {
  unique_fd read, write;
};

bool make_pipe(pipe_ends& to) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  to.read.reset(ends[0]);
  to.write.reset(ends[1]);
  return true;
}

bool set_nonblocking(const unique_fd& fd) {
  return !fd || ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) == 0;
}

guest_refused refuse(std::uint32_t exit_code, int err, std::string message) {
  return {exit_code, static_cast<std::uint32_t>(err), std::move(message) + ": " + std::strerror(err)};
}

// All that the child needs, made before it: between vfork and exec it must not allocate.
struct launch {
  const char* cwd = nullptr;
  int stdio[3] = {-1, -1, -1};
  bool terminal = false;
  bool as_user = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::vector<std::string> programs;
  std::vector<char*> argv;
  std::vector<char*> env;
  // What the child says to its parent, whose memory it shares until it executes.
  enum class step { none, streams, session, directory, user, program };
  volatile step failed = step::none;
  volatile int err = 0;
};

[[noreturn]] void fail_child(launch& l, launch::step at, int err) {
  l.failed = at;
  l.err = err;
  ::_exit(127);
}

[[noreturn]] void become(launch& l) {
  using step = launch::step;
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &by_default, nullptr);  // the only one that the guest ignores
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  if (l.terminal ? ::setsid() < 0 : ::setpgid(0, 0) != 0) fail_child(l, step::session, errno);
  for (int target = 0; target < 3; ++target) {
    // The guest's own 0 to 2 are taken, so that no descriptor of ours is in the way of another's number.
    if (::dup2(l.stdio[target], target) < 0) fail_child(l, step::streams, errno);
  }
  if (l.terminal && ::ioctl(0, TIOCSCTTY, 0) != 0) fail_child(l, step::session, errno);
  if (l.as_user) {
    // The plain system calls: glibc's wrappers tell other threads, of which there are none, through shared memory.
    if (::syscall(SYS_setgroups, l.groups.size(), l.groups.data()) != 0 ||
        ::syscall(SYS_setresgid, l.gid, l.gid, l.gid) != 0 || ::syscall(SYS_setresuid, l.uid, l.uid, l.uid) != 0) {
      fail_child(l, step::user, errno);
    }
  }
  if (l.cwd != nullptr && ::chdir(l.cwd) != 0) fail_child(l, step::directory, errno);
  int err = ENOENT;
  for (const std::string& program : l.programs) {
    ::execve(program.c_str(), l.argv.data(), l.env.data());
    // As a shell: one that may not be executed is told of only where none can be.
    if (errno != ENOENT && errno != ENOTDIR && err == ENOENT) err = errno;
    if (errno == EACCES || errno == ENOENT || errno == ENOTDIR) continue;
    break;
  }
  fail_child(l, step::program, err);
}

// vfork is not a function that may return into a caller that goes on: the whole life of the child is in here. The parent's
// thread waits until the child has executed or ended.
__attribute__((noinline)) pid_t launch_child(launch& l) {
  const pid_t pid = ::vfork();
  if (pid == 0) become(l);
  return pid;
}

bool open_terminal(const guest_terminal_size& size, child& ours, unique_fd& theirs, guest_refused& refused) {
  ours.out.reset(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  int number = 0, locked = 0;
  if (!ours.out || ::ioctl(ours.out.get(), TIOCSPTLCK, &locked) != 0 ||
      ::ioctl(ours.out.get(), TIOCGPTN, &number) != 0) {
    refused = refuse(126, errno, "cannot make a terminal (/dev/ptmx)");
    return false;
  }
  const std::string name = "/dev/pts/" + std::to_string(number);
  theirs.reset(::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!theirs) {
    refused = refuse(126, errno, "cannot open the terminal " + name);
    return false;
  }
  set_terminal_size(ours.out.get(), size);
  return true;
}

}  // namespace

void set_terminal_size(int master, guest_terminal_size size) {
  struct winsize w {};
  w.ws_row = size.rows;
  w.ws_col = size.columns;
  (void)::ioctl(master, TIOCSWINSZ, &w);
}

start_outcome start_child(const guest_start& what) {
  start_outcome out;
  child& ours = out.started;
  unique_fd terminal, null;
  pipe_ends in, outward, errors;
  launch l;
  if (what.terminal) {
    if (!open_terminal(*what.terminal, ours, terminal, out.refused)) return out;
    ours.terminal = true;
    for (int& fd : l.stdio) fd = terminal.get();
  } else {
    if (what.input ? !make_pipe(in) : (null.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC)), !null)) {
      out.refused = refuse(126, errno, "cannot make the command's stdin");
      return out;
    }
    if (!make_pipe(outward) || !make_pipe(errors)) {
      out.refused = refuse(126, errno, "cannot make the command's pipes");
      return out;
    }
    // Each turn between a loud command and us costs a switch of threads in the sentry: a quarter of them. gVisor allocates
    // what is in it, not what may be.
    (void)::fcntl(outward.write.get(), F_SETPIPE_SZ, 256 * 1024);
    l.stdio[0] = what.input ? in.read.get() : null.get();
    l.stdio[1] = outward.write.get();
    l.stdio[2] = errors.write.get();
    ours.in = std::move(in.write);
    ours.out = std::move(outward.read);
    ours.err = std::move(errors.read);
  }
  if (!set_nonblocking(ours.in) || !set_nonblocking(ours.out) || !set_nonblocking(ours.err)) {
    out.refused = refuse(126, errno, "cannot make the command's pipes");
    return out;
  }
  user_identity user;
  if (!what.user.empty()) {
    auto found = look_up_user(what.user);
    if (!found) {
      const error& e = found.error();
      out.refused = {0, e.code == errc::not_found ? std::uint32_t{ENOENT} : 0, e.message + ": " + e.path};
      return out;
    }
    user = std::move(*found);
  }
  const std::vector<std::string> env = environment_of(what, user.uid);
  l.cwd = what.cwd.empty() ? nullptr : what.cwd.c_str();
  l.terminal = what.terminal.has_value();
  l.as_user = !what.user.empty();
  l.uid = user.uid;
  l.gid = user.gid;
  l.groups.assign(user.groups.begin(), user.groups.end());
  l.programs = candidates(what.argv.front(), env);
  l.argv = c_array(what.argv);
  l.env = c_array(env);
  const pid_t pid = launch_child(l);
  if (pid < 0) {
    out.refused = refuse(126, errno, "cannot start a process");
    return out;
  }
  if (l.failed == launch::step::none) {
    ours.pid = pid;
    return out;
  }
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  switch (l.failed) {
    case launch::step::directory: out.refused = refuse(126, l.err, "cannot start in the directory " + what.cwd); break;
    case launch::step::program:
      out.refused = refuse(l.err == ENOENT ? 127 : 126, l.err, "cannot execute " + what.argv.front());
      break;
    case launch::step::user: out.refused = refuse(126, l.err, "cannot become the user"); break;
    default: out.refused = refuse(126, l.err, "cannot set the command up"); break;
  }
  return out;
}

}  // namespace berth::guest
