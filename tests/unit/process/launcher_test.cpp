// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <berth/process/boost_handle.hpp>
#include <berth/process/launcher.hpp>
#include <berth/process/pidfd.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/posix/bind_fd.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace berth {
namespace {

namespace asio = boost::asio;
namespace v2 = boost::process::v2;
using boost::asio::awaitable;
using boost::system::error_code;
using namespace test;

using words = std::vector<std::string>;
using loop_process = v2::basic_process<asio::io_context::executor_type>;

// A loop that has the descriptors of its own already, which it makes with the first that it watches.
struct watching_loop : asio::io_context {
  asio::posix::stream_descriptor first{*this};
};

struct pipe_ends {
  pipe_ends() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  std::string text() {
    theirs.reset();
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(ours.get(), buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }
  unique_fd ours;
  unique_fd theirs;
};

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }  // in a test: all are ours

TEST(Launcher, GivesAProcessOfBoostProcess) {
  asio::io_context loop;
  loop_process p = launcher()(loop, "/bin/sh", {"-c", "exit 7"});
  EXPECT_TRUE(p.is_open());
  int code = -1;
  p.async_wait([&](error_code ec, int how) {
    EXPECT_FALSE(ec);
    code = how;
  });
  loop.run();
  EXPECT_EQ(code, 7);
  EXPECT_FALSE(has_children());
}

TEST(Launcher, TakesAnyExecutorAndAnyRangeOfStrings) {
  asio::io_context loop;
  launcher start;
  v2::process a = start(asio::any_io_executor(loop.get_executor()), "/bin/sh", words{"-c", "exit 1"});
  const char* plain[] = {"-c", "exit 2"};
  loop_process b = start(loop.get_executor(), "/bin/sh", plain);
  loop_process c = start(loop, "/bin/sh", std::vector<std::string_view>{"-c", "exit 3"});
  EXPECT_EQ(start.pid, c.id());
  EXPECT_EQ(a.wait(), 1);
  EXPECT_EQ(b.wait(), 2);
  EXPECT_EQ(c.wait(), 3);
}

TEST(Launcher, BoostsOwnInitializersWork) {
  asio::io_context loop;
  pipe_ends out;
  unique_fd file(::open("/etc/hostname", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  const words environment{"A=1", "B=two words"};
  error_code ec;
  launcher start;
  loop_process p =
      start(loop, ec, "/bin/sh", words{"-c", "pwd; /usr/bin/env -u PWD; readlink /proc/self/fd/0 /proc/self/fd/9"},
            v2::process_stdio{nullptr, out.theirs.get(), nullptr}, v2::process_start_dir("/usr"),
            v2::process_environment(environment), v2::posix::bind_fd(9, file.get()));
  ASSERT_FALSE(ec) << ec.message();
  EXPECT_EQ(out.text(), "/usr\nA=1\nB=two words\n/dev/null\n/etc/hostname\n");
  EXPECT_EQ(p.wait(), 0);
  EXPECT_EQ(start.env, static_cast<const char* const*>(::environ));  // as before
}

TEST(Launcher, WithoutInitializersTheChildHasWhatIsOursAndNoOtherDescriptor) {
  test::scratch_directory dir;
  unique_fd stray(::open((dir / "stray").c_str(), O_CREAT | O_RDWR, 0600));  // not close-on-exec
  ASSERT_TRUE(stray);
  ::setenv("BERTH_TEST_KEPT", "yes", 1);
  error_code ec;
  const std::string script = "test \"$BERTH_TEST_KEPT\" = yes && test ! -e /proc/self/fd/" +
                             std::to_string(stray.get()) +
                             " && test $(cut -d' ' -f5 /proc/self/stat) = " + std::to_string(::getpgrp());
  child c = launcher().start(ec, "/bin/sh", words{"-c", script});
  ::unsetenv("BERTH_TEST_KEPT");
  ASSERT_FALSE(ec) << ec.message();
  EXPECT_TRUE(reap(c).success());
}

// dup2(2) to the same number changes nothing, and so leaves the descriptor close-on-exec.
TEST(Launcher, ADescriptorOfTheWhitelistArrivesThoughItIsCloseOnExec) {
  test::scratch_directory dir;
  unique_fd file(::open((dir / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  error_code ec;
  child c = launcher().start(ec, "/bin/sh", words{"-c", "test -e /proc/self/fd/" + std::to_string(file.get())},
                             v2::posix::bind_fd(file.get()));
  ASSERT_FALSE(ec) << ec.message();
  EXPECT_TRUE(reap(c).success());
  EXPECT_NE(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Launcher, BerthsInitializersWorkWithTheLauncherOfBoostProcess) {
  asio::io_context loop;
  pipe_ends out;
  loop_process p =
      v2::posix::default_launcher()(loop, "/bin/sh", words{"-c", "cut -d' ' -f1,5,6 /proc/$$/stat; echo end >&7"},
                                    initializer::process_group{initializer::process_group::session},
                                    initializer::descriptors({{out.theirs.get(), 1}, {out.theirs.get(), 7}}));
  const std::string id = std::to_string(p.id());
  EXPECT_EQ(out.text(), id + " " + id + " " + id + "\nend\n");
  EXPECT_EQ(p.wait(), 0);
}

TEST(Launcher, ASettingOfAnInitializerIsForOneLaunch) {
  asio::io_context loop;
  launcher start;
  loop_process a = start(loop, "/bin/sh", {"-c", "test \"$A\" = 1"}, v2::process_environment(words{"A=1"}));
  loop_process b = start(loop, "/bin/sh", {"-c", "test -z \"$A\""});
  EXPECT_EQ(a.wait(), 0);
  EXPECT_EQ(b.wait(), 0);
  EXPECT_EQ(start.fd_whitelist, (std::vector<int>{0, 1, 2}));
}

// What an initializer sees, and what it does.
struct spy {
  std::vector<std::string> seen{};
  error_code setup_error{};
  error_code exec_error{};
  long in_child = 0;

  error_code on_setup(v2::posix::default_launcher&, const v2::filesystem::path& executable, const char* const* argv) {
    seen.push_back("setup " + executable.native() + " " + argv[1]);
    return setup_error;
  }
  error_code on_exec_setup(v2::posix::default_launcher&, const v2::filesystem::path&, const char* const*) {
    in_child = ::syscall(SYS_getpid);  // a variable of its own: all that it may write
    return exec_error;
  }
  void on_success(launcher& by, const v2::filesystem::path&, const char* const*) {
    seen.push_back("success " + std::to_string(by.pid));
  }
  void on_exec_error(launcher&, const v2::filesystem::path&, const char* const*, const error_code& ec) {
    seen.push_back("exec_error " + std::to_string(ec.value()));
  }
  void on_error(launcher&, const v2::filesystem::path&, const char* const*, const error_code& ec) {
    seen.push_back("error " + std::to_string(ec.value()));
  }
};

TEST(Launcher, HooksRunWhereTheyAreSaidTo) {
  spy s;
  error_code ec;
  child c = launcher().start(ec, "/bin/sh", words{"-c", "exit 0"}, s);
  ASSERT_FALSE(ec);
  EXPECT_TRUE(reap(c).success());
  EXPECT_EQ(s.in_child, c.pid);
  EXPECT_EQ(s.seen, (words{"setup /bin/sh -c", "success " + std::to_string(c.pid)}));
}

TEST(Launcher, AnErrorOfExecComesWithItsErrno) {
  asio::io_context loop;
  spy s;
  error_code ec;
  launcher start;
  loop_process p = start(loop, ec, "/proc/none/program", words{"x"}, s);
  EXPECT_EQ(ec, boost::system::errc::no_such_file_or_directory);
  EXPECT_FALSE(p.is_open());
  EXPECT_EQ(start.failed_at(), launch_stage::exec);
  EXPECT_EQ(start.failed_initializer(), nullptr);
  EXPECT_EQ(s.seen, (words{"setup /proc/none/program x", "exec_error 2", "error 2"}));
  EXPECT_GT(s.in_child, 0);
  EXPECT_EQ(process_state(static_cast<pid_t>(s.in_child)), "");  // reaped
  try {
    start(loop, "/etc/passwd", words{});
    ADD_FAILURE() << "did not throw";
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), boost::system::errc::permission_denied);
  }
  start(loop, ec, "/bin/true", words{std::string("a\0b", 3)});
  EXPECT_EQ(ec, boost::system::errc::invalid_argument);
  EXPECT_FALSE(has_children());
}

TEST(Launcher, TheFirstErrorOfAnInitializerEndsIt) {
  spy first;
  spy second;
  second.setup_error = asio::error::eof;  // of a category of its own
  error_code ec;
  launcher start;
  start.start(ec, "/bin/true", words{"x"}, first, second);
  EXPECT_EQ(ec, asio::error::eof);
  EXPECT_EQ(start.failed_at(), launch_stage::setup);
  EXPECT_EQ(start.failed_initializer(), &second);
  EXPECT_EQ(first.in_child, 0);
  EXPECT_EQ(first.seen.back(), "error " + std::to_string(asio::error::eof));

  first = spy();
  first.exec_error = asio::error::eof;
  second = spy();
  start.start(ec, "/bin/true", words{"x"}, first, second);
  EXPECT_EQ(ec, asio::error::eof);
  EXPECT_EQ(start.failed_at(), launch_stage::initializer);
  EXPECT_EQ(start.failed_initializer(), &first);
  EXPECT_GT(first.in_child, 0);
  EXPECT_EQ(second.in_child, 0);
  EXPECT_EQ(second.seen, (words{"setup /bin/true x", "error " + std::to_string(asio::error::eof)}));
  EXPECT_FALSE(has_children());
}

struct thrower {
  int number = 0;
  error_code on_exec_setup(auto&, const auto&, const char* const*) const {
    if (number != 0) throw boost::system::system_error(error_code(number, boost::system::system_category()));
    throw std::runtime_error("not this way");
  }
};

TEST(Launcher, WhatAnInitializerThrowsInTheChildIsItsError) {
  error_code ec;
  launcher().start(ec, "/bin/true", words{}, thrower{ENOTTY});
  EXPECT_EQ(ec, boost::system::errc::inappropriate_io_control_operation);
  launcher().start(ec, "/bin/true", words{}, thrower{});
  EXPECT_EQ(ec, boost::system::errc::operation_canceled);
  EXPECT_FALSE(has_children());
}

struct other_words {
  const char* argv[4] = {"sh", "-c", "exit 9", nullptr};
  error_code on_setup(auto&, const auto&, const char* const*& command_line) {
    command_line = argv;
    return {};
  }
};

TEST(Launcher, AnInitializerMayReplaceTheCommandLineOrBeLeftOut) {
  error_code ec;
  const std::optional<other_words> none;
  std::optional<other_words> one(std::in_place);
  child c = launcher().start(ec, "/bin/sh", words{"-c", "exit 1"}, none);
  EXPECT_EQ(reap(c).code, 1);
  c = launcher().start(ec, "/bin/sh", words{"-c", "exit 1"}, one);
  EXPECT_EQ(reap(c).code, 9);
}

TEST(Launcher, FailuresLeaveNoChildAndNoDescriptor) {
  watching_loop loop;
  const auto before = open_descriptors();
  spy s;
  s.exec_error = asio::error::eof;
  for (int i = 0; i < 100; ++i) {
    error_code ec;
    launcher()(loop, ec, "/proc/none/program", words{}, v2::process_stdio{nullptr, nullptr, nullptr});
    EXPECT_TRUE(ec);
    launcher()(loop, ec, "/bin/true", words{"x"}, s);
    EXPECT_TRUE(ec);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(Launcher, OutOfDescriptorsIsAnErrorOfTheCall) {
  watching_loop loop;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = unique_fd(::dup(0)).get();
  const rlimit low{static_cast<rlim_t>(next), limit.rlim_max};  // none is free: clone cannot give a pidfd
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  error_code ec;
  launcher start;
  loop_process p = start(loop, ec, "/bin/true", words{});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(ec, boost::system::errc::too_many_files_open);
  EXPECT_EQ(start.failed_at(), launch_stage::process);
  EXPECT_FALSE(p.is_open());
}

class fork_listener : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit fork_listener(asio::execution_context& context) : service(context) {}
  void shutdown() override {}
  void notify_fork(asio::execution_context::fork_event) override { ++told; }
  int told = 0;
};

// The handlers of a fork would close the loop's descriptors in the child, and write that down in memory that is ours.
TEST(Launcher, TheExecutionContextIsToldOfNoFork) {
  asio::io_context loop;
  auto& listener = asio::use_service<fork_listener>(loop);
  loop_process p = launcher()(loop, "/bin/true", words{});
  EXPECT_EQ(p.wait(), 0);
  EXPECT_EQ(listener.told, 0);
}

TEST(Launcher, ThePidfdIsTheProcesssAndGoesWithIt) {
  watching_loop loop;
  const auto before = open_descriptors();
  pid_t pid = 0;
  {
    loop_process p = launcher()(loop, "/bin/sleep", {"1000"});
    pid = p.id();
    EXPECT_EQ(open_descriptors(), before + 1);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(process_state(pid), "");  // Boost.Process has killed and reaped it
}

TEST(BoostHandle, GivesAProcessAway) {
  watching_loop loop;
  const auto before = open_descriptors();
  {
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto p = process::start(loop.get_executor(), shell("read line; exit 5"), io);
    ASSERT_TRUE(p) << p.error().to_string();
    const pid_t pid = p->pid();
    auto handle = give_handle(loop.get_executor(), *p);  // closes our end of its stdin
    ASSERT_TRUE(handle) << handle.error().to_string();
    EXPECT_EQ(handle->id(), pid);
    EXPECT_EQ(p->pid(), -1);
    EXPECT_EQ(p->signal(SIGTERM).error().code, errc::state);
    EXPECT_EQ(give_handle(loop.get_executor(), *p).error().code, errc::state);
    EXPECT_EQ(open_descriptors(), before + 1);
    int code = -1;
    handle->async_wait([&](error_code ec, int how) {
      EXPECT_FALSE(ec);
      code = v2::evaluate_exit_code(how);
    });
    loop.run();
    EXPECT_EQ(code, 5);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(BoostHandle, AProcessThatBerthHasReapedIsNotGiven) {
  auto work = []() -> awaitable<errc> {
    auto loop = co_await asio::this_coro::executor;
    auto p = process::start(loop, shell("exit 3"));
    auto ended = co_await p->wait();
    auto handle = give_handle(loop, *p);
    EXPECT_EQ(p->status(), (exit_status{3, 0}));  // it is berth's still
    co_return handle ? errc::ok : handle.error().code;
  };
  EXPECT_EQ(run(work()), errc::state);
}

TEST(BoostHandle, TakesAProcessOfAnyLauncher) {
  const auto before = open_descriptors();
  auto work = []() -> awaitable<int> {
    auto loop = co_await asio::this_coro::executor;
    v2::process forked = v2::posix::default_launcher()(loop, "/bin/sleep", words{"1000"});
    v2::process launched = launcher()(loop, "/bin/sh", words{"-c", "exit 6"});
    auto detached = launched.detach();
    auto a = take_handle(std::move(forked));
    auto b = take_handle(std::move(detached));
    EXPECT_TRUE(a && b);
    EXPECT_FALSE(forked.is_open());
    EXPECT_FALSE(detached.is_open());
    EXPECT_TRUE(a->signal(SIGUSR1));
    auto signalled = co_await a->wait();
    EXPECT_EQ(*signalled, (exit_status{0, SIGUSR1}));
    auto ended = co_await b->wait();
    EXPECT_EQ(*ended, (exit_status{6, 0}));
    EXPECT_EQ(a->signal_group(SIGTERM).error().code, errc::invalid);
    co_return 0;
  };
  run(work());
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(BoostHandle, OneThatIsTakenEndsWithItsObjectAndIsReapedByTheLoop) {
  auto work = []() -> awaitable<bool> {
    auto loop = co_await asio::this_coro::executor;
    pid_t pid = 0;
    {
      v2::process p = launcher()(loop, "/bin/sleep", words{"1000"});
      pid = p.id();
      auto taken = take_handle(std::move(p));
      EXPECT_TRUE(taken);
      EXPECT_EQ(taken->pid(), pid);
    }
    const bool gone = co_await eventually([&] { return process_state(pid).empty(); });
    co_return gone;
  };
  EXPECT_TRUE(run(work()));
}

TEST(BoostHandle, WhatIsNoChildToWaitForIsNotTaken) {
  asio::io_context loop;
  loop_process ended = launcher()(loop, "/bin/true", words{});
  EXPECT_EQ(ended.wait(), 0);
  EXPECT_EQ(take_handle(std::move(ended)).error().code, errc::state);  // Boost.Process has reaped it
  v2::basic_process_handle<asio::any_io_executor> parent(loop.get_executor(), ::getppid());
  EXPECT_EQ(take_handle(std::move(parent)).error().code, errc::state);
  EXPECT_TRUE(parent.is_open());
  v2::basic_process_handle<asio::any_io_executor> empty(loop.get_executor());
  EXPECT_EQ(take_handle(std::move(empty)).error().code, errc::state);
}

}  // namespace
}  // namespace berth
