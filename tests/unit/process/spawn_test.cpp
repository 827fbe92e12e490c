// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <berth/process/pidfd.hpp>
#include <berth/process/spawn.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace berth {
namespace {

// Spawns with stdout to a pipe, and gives back what was written there.
std::string output_of(spawn_options o, exit_status* status = nullptr) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  unique_fd ours(ends[0]);
  unique_fd theirs(ends[1]);
  o.fds.push_back({theirs.get(), 1});
  auto c = spawn(o);
  if (!c) return c.error().to_string();
  theirs.reset();
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ours.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  const auto ended = reap(*c);
  if (status != nullptr) *status = ended;
  return text;
}

spawn_options program(std::vector<std::string> argv) {
  spawn_options o;
  o.argv = std::move(argv);
  o.env = minimal_environment();
  return o;
}

TEST(Spawn, TheEnvironmentIsExactlyWhatWasGiven) {
  ::setenv("BERTH_TEST_LEAK", "1", 1);
  auto o = program({"/usr/bin/env"});
  o.env = {"A=1", "B=two words", "C="};
  EXPECT_EQ(output_of(o), "A=1\nB=two words\nC=\n");
  o.env.clear();
  EXPECT_EQ(output_of(o), "");
}

// What the child sees as its descriptors: number to target, but for the one by which it looks.
std::map<int, std::string> descriptors_of_child(std::vector<fd_mapping> fds) {
  auto o = program({"/bin/ls", "-l", "/proc/self/fd"});
  o.fds = std::move(fds);
  std::map<int, std::string> seen;
  std::istringstream lines(output_of(o));
  std::string line;
  while (std::getline(lines, line)) {
    const auto arrow = line.find(" -> ");
    if (arrow == std::string::npos) continue;
    const auto target = line.substr(arrow + 4);
    if (target.find("/proc/") != 0) seen[std::stoi(line.substr(line.rfind(' ', arrow - 1)))] = target;
  }
  return seen;
}

TEST(Spawn, TheDescriptorsAreExactlyThoseNamed) {
  test::scratch_directory dir;
  // Ones that are not close-on-exec, as another library would leave them.
  unique_fd a(::open((dir / "a").c_str(), O_CREAT | O_RDWR, 0600));
  unique_fd b(::open((dir / "b").c_str(), O_CREAT | O_RDWR, 0600));
  unique_fd high(::fcntl(a.get(), F_DUPFD, 700));
  ASSERT_TRUE(a && b && high);

  auto seen = descriptors_of_child({});
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], "/dev/null");
  EXPECT_EQ(seen[2], "/dev/null");

  seen = descriptors_of_child({{a.get(), 5}, {b.get(), 100}, {b.get(), 2}});
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[5], dir / "a");
  EXPECT_EQ(seen[100], dir / "b");
  EXPECT_EQ(seen[2], dir / "b");
}

TEST(Spawn, SourcesAndTargetsMayCollideInAnyWay) {
  test::scratch_directory dir;
  std::vector<unique_fd> files;
  std::map<int, std::string> path_of;
  for (int i = 0; i < 3; ++i) {
    files.emplace_back(::open((dir / std::to_string(i)).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    path_of[files.back().get()] = dir / std::to_string(i);
  }
  const int x = files[0].get();
  const int y = files[1].get();
  const int z = files[2].get();
  auto seen = descriptors_of_child({{x, y}, {y, x}});  // swapped
  EXPECT_EQ(seen[y], path_of[x]);
  EXPECT_EQ(seen[x], path_of[y]);
  seen = descriptors_of_child({{x, y}, {y, z}, {z, x}});  // turned
  EXPECT_EQ(seen[y], path_of[x]);
  EXPECT_EQ(seen[z], path_of[y]);
  EXPECT_EQ(seen[x], path_of[z]);
  seen = descriptors_of_child({{x, x}, {x, y}});  // kept, and copied over another
  EXPECT_EQ(seen[x], path_of[x]);
  EXPECT_EQ(seen[y], path_of[x]);
  EXPECT_EQ(seen.count(z), 0U);
  EXPECT_NE(::fcntl(x, F_GETFD) & FD_CLOEXEC, 0);  // ours stay as they were
}

std::string own_status_line(const std::string& text, const std::string& key) {
  const auto at = text.find(key + ":\t");
  return at == std::string::npos ? "?" : text.substr(at + key.size() + 2, text.find('\n', at) - at - key.size() - 2);
}

TEST(Spawn, TheChildStartsWithNoSignalBlockedIgnoredOrCaught) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto user_before = ::signal(SIGUSR1, SIG_IGN);
  const auto handler_before = ::signal(SIGUSR2, [](int) {});
  const std::string status = output_of(program({"cat", "/proc/self/status"}));
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, &before, &now);
  EXPECT_EQ(::signal(SIGPIPE, pipe_before), SIG_IGN);  // ours were not touched
  EXPECT_EQ(::signal(SIGUSR1, user_before), SIG_IGN);
  ::signal(SIGUSR2, handler_before);
  EXPECT_EQ(sigismember(&now, SIGTERM), 1);
  EXPECT_EQ(sigismember(&now, SIGUSR2), 0);
  for (const char* key : {"SigBlk", "SigIgn", "SigCgt", "SigPnd"}) {
    EXPECT_EQ(own_status_line(status, key), "0000000000000000") << key;
  }
}

TEST(Spawn, LooksTheProgramUpInTheGivenPath) {
  test::scratch_directory dir;
  const auto script = [&](const std::string& name, mode_t mode) {
    std::ofstream(dir / name) << "#!/bin/sh\necho \"$0 $*\"\n";
    ::chmod((dir / name).c_str(), mode);
  };
  script("tool", 0755);
  auto o = program({"tool", "x"});
  o.env = {"PATH=/proc/none:/etc/passwd:" + dir.path() + ":/bin"};
  EXPECT_EQ(output_of(o), (dir / "tool") + " x\n");
  o.env = {"PATH="};  // the working directory, as execvp has it
  o.cwd = dir.path();
  EXPECT_EQ(output_of(o), "./tool x\n");
  o.argv = {"./tool"};
  o.env = {};
  EXPECT_EQ(output_of(o), "./tool \n");
}

TEST(Spawn, NotFoundNamesTheProgram) {
  const auto code = [](spawn_options o) { return spawn(o).error(); };
  EXPECT_EQ(code(program({"berth-no-such"})).code, errc::not_found);
  EXPECT_EQ(code(program({"berth-no-such"})).path, "berth-no-such");
  EXPECT_EQ(code(program({"/proc/none/x"})).code, errc::not_found);
  EXPECT_EQ(code(program({"/etc/passwd/x"})).code, errc::not_found);
  auto o = program({"true"});
  o.env = {};
  EXPECT_EQ(code(o).code, errc::not_found);  // no PATH at all
  EXPECT_EQ(code(program({"/etc/passwd"})).code, errc::permission);
  EXPECT_EQ(code(program({"/etc"})).code, errc::permission);
  o = program({"true"});
  o.cwd = "/proc/none";
  EXPECT_EQ(code(o).code, errc::not_found);
  EXPECT_EQ(code(o).path, "/proc/none");
  o.cwd = "/etc/passwd";
  EXPECT_EQ(code(o).code, errc::not_found);
}

TEST(Spawn, AnInterpreterThatIsMissingIsTold) {
  test::scratch_directory dir;
  std::ofstream(dir / "script") << "#!/proc/none/interpreter\n";
  std::ofstream(dir / "text") << "no program\n";
  ::chmod((dir / "script").c_str(), 0755);
  ::chmod((dir / "text").c_str(), 0755);
  auto c = spawn(program({dir / "script"}));
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().code, errc::not_found);
  EXPECT_NE(c.error().hint.find("interpreter"), std::string::npos);
  c = spawn(program({dir / "text"}));
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().code, errc::spawn_failed);
  EXPECT_EQ(c.error().sys_errno, ENOEXEC);
}

TEST(Spawn, RefusesWhatCannotBeHandedOn) {
  const auto code = [](spawn_options o) {
    auto c = spawn(o);
    return c ? errc::ok : c.error().code;
  };
  EXPECT_EQ(code(program({})), errc::invalid);
  EXPECT_EQ(code(program({""})), errc::invalid);
  EXPECT_EQ(code(program({"true", std::string("a\0b", 3)})), errc::invalid);
  auto o = program({"true"});
  o.env.push_back(std::string("A=\0b", 4));
  EXPECT_EQ(code(o), errc::invalid);
  o.env.back() = "no equals sign";
  EXPECT_EQ(code(o), errc::invalid);
  o = program({"true"});
  o.cwd = std::string("/\0tmp", 5);
  EXPECT_EQ(code(o), errc::invalid);
  o = program({"true"});
  o.fds = {{0, 4}, {1, 4}};
  EXPECT_EQ(code(o), errc::invalid);
  o.fds = {{-1, 4}};
  EXPECT_EQ(code(o), errc::invalid);
  o.fds = {{1000000, 4}};
  EXPECT_EQ(code(o), errc::spawn_failed);
  o = program({"true", std::string(64 << 20, 'x')});
  EXPECT_EQ(code(o), errc::too_big);
}

TEST(Spawn, FailuresLeaveNoChildAndNoDescriptor) {
  const auto before = test::open_descriptors();
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(spawn(program({"berth-no-such"})));
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // in a test: nobody else's children are here
  EXPECT_EQ(errno, ECHILD);
}

TEST(Spawn, OutOfDescriptorsIsACleanError) {
  const auto before = test::open_descriptors();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{before + 8, limit.rlim_max};
  for (std::size_t free = 0; free < 4; ++free) {
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    std::vector<unique_fd> taken;
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      taken.emplace_back(fd);
    }
    for (std::size_t i = 0; i < free; ++i) taken.pop_back();
    auto c = spawn(program({"true"}));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (c) {
      EXPECT_GE(free, 2U);
      EXPECT_TRUE(reap(*c).success());
    } else {
      EXPECT_LT(free, 2U);
      EXPECT_EQ(c.error().code, errc::spawn_failed);
      EXPECT_EQ(c.error().sys_errno, EMFILE);
    }
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST(Spawn, GroupsAndSessions) {
  const auto ids = [](bool group, bool session) {
    auto o = program({"/bin/sh", "-c", "cut -d' ' -f1,5,6 /proc/$$/stat"});
    o.new_group = group;
    o.new_session = session;
    std::istringstream in(output_of(o));
    int pid = 0;
    int pgid = 0;
    int sid = 0;
    in >> pid >> pgid >> sid;
    EXPECT_GT(pid, 0);
    return std::array<bool, 2>{pgid == pid, sid == pid};
  };
  EXPECT_EQ(ids(false, false), (std::array<bool, 2>{false, false}));
  EXPECT_EQ(ids(true, false), (std::array<bool, 2>{true, false}));
  EXPECT_EQ(ids(true, true), (std::array<bool, 2>{true, true}));
  EXPECT_EQ(ids(false, true), (std::array<bool, 2>{true, true}));
}

TEST(Spawn, TheParentDeathSignalComesWhenTheThreadEnds) {
  result<child> c = make_error(errc::internal, "", "");
  std::thread([&] {
    auto o = program({"sleep", "1000"});
    o.parent_death_signal = SIGKILL;
    c = spawn(o);
  }).join();
  ASSERT_TRUE(c);
  EXPECT_EQ(reap(*c), (exit_status{0, SIGKILL}));
}

TEST(Spawn, FromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        auto c = spawn(program({"/bin/sh", "-c", "exit " + std::to_string(t)}));
        if (c && reap(*c).code == t) ++good;
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(good, 200);
}

TEST(ChildStatus, LooksWithoutTakingAndSurvivesAHostThatReaps) {
  auto c = spawn(program({"/bin/sh", "-c", "exit 3"}));
  ASSERT_TRUE(c);
  pollfd p{c->pidfd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&p, 1, -1), 1);
  EXPECT_EQ(**child_status(c->pidfd.get(), reap_mode::look), (exit_status{3, 0}));
  EXPECT_EQ(**child_status(c->pidfd.get(), reap_mode::look), (exit_status{3, 0}));
  ASSERT_EQ(::waitpid(c->pid, nullptr, 0), c->pid);  // the host was faster
  auto late = child_status(c->pidfd.get(), reap_mode::take);
  if (late) EXPECT_EQ(**late, (exit_status{3, 0}));  // Linux 6.15 and later still tell
  else EXPECT_EQ(late.error().code, errc::state);
}

TEST(ChildStatus, AHostThatIgnoresSigchld) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  auto c = spawn(program({"/bin/sh", "-c", "kill -KILL $$"}));
  ASSERT_TRUE(c);
  pollfd p{c->pidfd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&p, 1, -1), 1);
  auto r = child_status(c->pidfd.get(), reap_mode::take);
  auto failed = spawn(program({"berth-no-such"}));
  ::signal(SIGCHLD, before);
  if (r) EXPECT_EQ(**r, (exit_status{0, SIGKILL}));
  else EXPECT_EQ(r.error().code, errc::state);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, errc::not_found);
}

TEST(Pidfd, OfAnotherProcess) {
  auto c = spawn(program({"sleep", "1000"}));
  ASSERT_TRUE(c);
  auto fd = open_pidfd(c->pid);
  ASSERT_TRUE(fd);
  EXPECT_TRUE(signal_pidfd(fd->get(), SIGTERM));
  EXPECT_EQ(reap(*c), (exit_status{0, SIGTERM}));
  EXPECT_EQ(signal_pidfd(fd->get(), SIGTERM).error().code, errc::state);
  EXPECT_EQ(open_pidfd(c->pid).error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
