#include "loop.hpp"

#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <fstream>
#include <sstream>

namespace berth {
namespace {

using boost::asio::awaitable;
using test::run;
namespace asio = boost::asio;

spawn_options shell(const std::string& script, std::vector<std::string> more = {}) {
  spawn_options o;
  o.argv = {"/bin/sh", "-c", script, "sh"};
  o.argv.insert(o.argv.end(), more.begin(), more.end());
  o.env = minimal_environment();
  return o;
}

stdio_options text_input(std::string text) {
  stdio_options io;
  io.in = stdio_options::input::text;
  io.in_text = std::move(text);
  return io;
}

// "Z" for a zombie and so on; nothing when there is no such process.
std::string process_state(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream all;
  all << file.rdbuf();
  const std::string s = all.str();
  const auto paren = s.rfind(')');
  return paren == std::string::npos ? "" : s.substr(paren + 2, 1);
}

// A process that was sent SIGKILL is gone soon, but not at once; and it is not ours to reap.
bool dies(pid_t pid) {
  for (int i = 0; i < 6000; ++i) {
    const auto state = process_state(pid);
    if (state.empty() || state == "Z") return true;
    ::usleep(5000);
  }
  return false;
}

awaitable<void> sleep_for(duration d) {
  asio::steady_timer timer(co_await asio::this_coro::executor, d);
  co_await timer.async_wait(asio::use_awaitable);
}

// Waits for something that is bound to happen; the generous limit only keeps a defect from hanging the suite.
template <class Condition>
awaitable<bool> eventually(Condition condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) co_return true;
    co_await sleep_for(milliseconds(5));
  }
  co_return false;
}

TEST(RunProcess, CollectsBothStreamsAndTheCode) {
  auto r = run(run_process(shell("echo out; echo err >&2; exit 7")));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->status, (exit_status{7, 0}));
  EXPECT_EQ(r->out, "out\n");
  EXPECT_EQ(r->err, "err\n");
}

TEST(RunProcess, ReportsTheSignalThatEndedIt) {
  auto r = run(run_process(shell("kill -SEGV $$")));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, (exit_status{0, SIGSEGV}));
  EXPECT_EQ(r->status.shell_code(), 128 + SIGSEGV);
}

TEST(RunProcess, FeedsAMegabyteOfTextToStdin) {
  std::string text;
  for (int i = 0; text.size() < (1 << 20); ++i) text += std::to_string(i) + "\n";
  stdio_options io = text_input(text);
  io.capture_limit = 4 << 20;
  spawn_options o;
  o.argv = {"cat"};
  o.env = minimal_environment();
  auto r = run(run_process(o, io));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->out, text);
}

TEST(RunProcess, AChildThatReadsNothingOfItsTextIsNoErrorAndRaisesNoSigpipe) {
  auto r = run(run_process(shell("exec <&-; exit 3"), text_input(std::string(1 << 20, 'x'))));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->status.code, 3);
}

TEST(RunProcess, PastTheDeadlineTheGroupIsKilledAndTheErrorHoldsWhatItSaid) {
  pid_t grandchild = 0;
  stdio_options io;
  io.on_line = [&](output_stream, std::string_view line) { grandchild = std::stoi(std::string(line)); };
  auto r = run(run_process(shell("sleep 1000 & echo $!; wait"), io, deadline_after(milliseconds(500))));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::timeout);
  EXPECT_EQ(r.error().path, "/bin/sh");
  EXPECT_EQ(r.error().detail, std::to_string(grandchild) + "\n");
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(dies(grandchild));
}

TEST(RunProcess, CancellingKillsTheGroup) {
  asio::io_context loop(1);
  asio::cancellation_signal stop;
  std::optional<result<command_result>> got;
  pid_t leader = 0;
  stdio_options io;
  io.on_line = [&](output_stream, std::string_view line) {
    leader = std::stoi(std::string(line));
    stop.emit(asio::cancellation_type::terminal);
  };
  asio::co_spawn(loop, run_process(shell("echo $$; sleep 1000"), io),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, result<command_result> r) {
                   EXPECT_FALSE(e);
                   got = std::move(r);
                 }));
  loop.run();
  ASSERT_TRUE(got);
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, errc::cancelled);
  ASSERT_GT(leader, 0);
  EXPECT_EQ(process_state(leader), "");  // reaped
}

TEST(Process, ManyMayWaitAndAgainAfterTheEnd) {
  auto work = []() -> awaitable<int> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("read line; exit 4"), [] {
      stdio_options io;
      io.in = stdio_options::input::pipe;
      return io;
    }());
    int done = 0;
    for (int i = 0; i < 3; ++i) {
      asio::co_spawn(ex,
                     [&]() -> awaitable<void> {
                       auto r = co_await p->wait();
                       if (r && r->code == 4) ++done;
                     },
                     asio::detached);
    }
    const auto soon = deadline_after(milliseconds(30));
    auto early = co_await p->wait(soon);
    EXPECT_FALSE(early);
    EXPECT_EQ(early.error().code, errc::timeout);
    EXPECT_FALSE(p->status());
    auto written = co_await p->write("go\n");
    EXPECT_TRUE(written);
    auto r = co_await p->wait();
    EXPECT_EQ(r->code, 4);
    const bool all = co_await eventually([&] { return done == 3; });
    EXPECT_TRUE(all);
    auto again = co_await p->wait();
    EXPECT_EQ(again->code, 4);
    EXPECT_EQ(p->status()->code, 4);
    co_return done;
  };
  EXPECT_EQ(run(work()), 3);
}

TEST(Process, LinesComeAsTheyAreWrittenAndTheUnfinishedOneAtTheEnd) {
  std::vector<std::string> lines;
  std::string data;
  stdio_options io;
  io.on_line = [&](output_stream s, std::string_view l) {
    lines.push_back((s == output_stream::out ? "out:" : "err:") + std::string(l));
  };
  io.on_data = [&](output_stream s, std::string_view d) {
    if (s == output_stream::out) data += d;
  };
  auto r = run(run_process(shell("echo one; echo; printf 'no newline'; echo bad >&2"), io));
  ASSERT_TRUE(r);
  EXPECT_EQ(data, "one\n\nno newline");
  lines.erase(std::find(lines.begin(), lines.end(), "err:bad"));
  EXPECT_EQ(lines, (std::vector<std::string>{"out:one", "out:", "out:no newline"}));
}

TEST(Process, KeepsTheLastBytesAndCountsTheDropped) {
  auto work = []() -> awaitable<bool> {
    stdio_options io;
    io.capture_limit = 10;
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("seq 1 100000"), io);
    auto r = co_await p->wait();
    EXPECT_TRUE(r && r->success());
    EXPECT_EQ(p->output(output_stream::out), "999\n100000\n" + std::string("999\n100000\n").size() - 10);
    EXPECT_EQ(p->dropped(output_stream::out), 588895U - 10U);
    EXPECT_EQ(p->output(output_stream::err), "");
    co_return true;
  };
  run(work());
}

TEST(Process, SignalReachesItAndIsRefusedAfterTheEnd) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("exec sleep 1000"));
    EXPECT_TRUE(p->signal(SIGTERM));
    auto r = co_await p->wait();
    EXPECT_EQ(*r, (exit_status{0, SIGTERM}));
    auto late = p->signal(SIGTERM);
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error().code, errc::state);
    auto group = p->signal_group(SIGKILL);
    EXPECT_FALSE(group);
    EXPECT_EQ(group.error().code, errc::state);
    co_return true;
  };
  run(work());
}

TEST(Process, TheGroupIsReachedAfterItsLeaderHasEnded) {
  auto work = []() -> awaitable<bool> {
    stdio_options io;
    pid_t member = 0;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    io.err = stdio_options::output::null;
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("sleep 1000 >/dev/null & echo $!"), io);
    auto r = co_await p->wait();
    EXPECT_TRUE(r && r->success());
    EXPECT_GT(member, 0);
    EXPECT_TRUE(process_state(member) == "S" || process_state(member) == "R") << process_state(member);
    EXPECT_TRUE(p->signal_group(SIGKILL));
    EXPECT_TRUE(dies(member));
    co_return true;
  };
  run(work());
}

// Makes pidfd_send_signal answer flags as a kernel before 6.9 does.
bool take_away_group_signals() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[3])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof code / sizeof *code, code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

awaitable<int> group_of_an_ended_leader() {
  stdio_options io;
  pid_t member = 0;
  io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
  auto ex = co_await asio::this_coro::executor;
  auto p = process::start(ex, shell("sleep 1000 >/dev/null 2>&1 & echo $!"), io);
  auto r = co_await p->wait();
  if (!r || !r->success() || member == 0) co_return 10;
  const pid_t leader = p->pid();
  if (process_state(leader) != "Z") co_return 11;
  if (signal_pidfd_group(open_pidfd(member)->get(), 0)) co_return 12;  // the filter is at work
  if (process_state(member) != "S" && process_state(member) != "R") co_return 13;
  if (!p->signal_group(SIGKILL)) co_return 14;
  if (!dies(member)) co_return 15;
  auto stopped = co_await p->stop(seconds(60));
  if (!stopped || !stopped->success()) co_return 16;
  { process gone(std::move(*p)); }
  if (!process_state(leader).empty()) co_return 17;
  co_return 0;
}

TEST(Process, BeforeLinux69AnEndedLeaderStaysAZombieSoThatItsGroupCanBeReached) {
  EXPECT_EXIT(
      {
        if (!take_away_group_signals()) ::_exit(9);
        ::_exit(run(group_of_an_ended_leader()));
      },
      testing::ExitedWithCode(0), "");
}

TEST(Process, AGrandchildThatHoldsThePipeDelaysTheEndByAtMostASecond) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("echo before; sleep 1000 & exit 5"));
    auto r = co_await p->wait();  // would hang for 1000 s
    EXPECT_EQ(r->code, 5);
    EXPECT_EQ(p->output(output_stream::out), "before\n");
    EXPECT_TRUE(p->signal_group(SIGKILL));
    co_return true;
  };
  run(work());
}

TEST(Process, StopAsksFirstAndKillsAfterTheGrace) {
  auto polite = []() -> awaitable<bool> {
    stdio_options io;
    bool up = false;
    io.on_line = [&](output_stream, std::string_view) { up = true; };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex,
                            shell("trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"), io);
    const bool started = co_await eventually([&] { return up; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(seconds(60));
    EXPECT_EQ(*r, (exit_status{9, 0}));
    co_return true;
  };
  run(polite());
  auto deaf = []() -> awaitable<bool> {
    stdio_options io;
    bool up = false;
    io.on_line = [&](output_stream, std::string_view) { up = true; };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("trap '' TERM; echo up; sleep 1000"), io);
    const bool started = co_await eventually([&] { return up; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(milliseconds(50));
    EXPECT_EQ(*r, (exit_status{0, SIGKILL}));
    auto again = co_await p->stop(milliseconds(50));
    EXPECT_EQ(*again, (exit_status{0, SIGKILL}));
    co_return true;
  };
  run(deaf());
}

TEST(Process, DestroyingOneThatRunsKillsItsGroupAndTheLoopReaps) {
  asio::io_context loop(1);
  pid_t leader = 0;
  pid_t member = 0;
  auto work = [&]() -> awaitable<bool> {
    stdio_options io;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("sleep 1000 & echo $!; wait"), io);
    leader = p->pid();
    const bool started = co_await eventually([&] { return member != 0; });
    co_return started;
  };
  EXPECT_TRUE(test::run_on(loop, work()));
  loop.restart();
  loop.run();  // returns only when the child is reaped
  EXPECT_EQ(process_state(leader), "");
  EXPECT_TRUE(dies(member));
}

TEST(Process, DestroyingTheLoopFirstLeavesNoZombie) {
  pid_t pid = 0;
  {
    asio::io_context loop(1);
    auto p = process::start(loop.get_executor(), shell("sleep 1000"));
    ASSERT_TRUE(p);
    pid = p->pid();
  }
  EXPECT_EQ(process_state(pid), "");
}

TEST(Process, DetachedItRunsOn) {
  asio::io_context loop(1);
  stdio_options io;
  io.out = io.err = stdio_options::output::null;
  auto p = process::start(loop.get_executor(), shell("sleep 1000"), io);
  ASSERT_TRUE(p);
  const pid_t pid = p->pid();
  auto fd = open_pidfd(pid);
  ASSERT_TRUE(fd);
  p->detach();
  loop.run();  // nothing to wait for
  EXPECT_NE(process_state(pid), "");
  EXPECT_NE(process_state(pid), "Z");
  EXPECT_FALSE(p->signal(SIGTERM));
  ASSERT_TRUE(signal_pidfd(fd->get(), SIGKILL));
  while (true) {  // it is ours to reap
    auto ended = child_status(fd->get(), reap_mode::take);
    ASSERT_TRUE(ended);
    if (*ended) break;
    ::usleep(1000);
  }
  EXPECT_EQ(process_state(pid), "");
}

TEST(Process, WaitIsCancelledByItsSlotAndTheProcessGoesOn) {
  asio::io_context loop(1);
  auto p = process::start(loop.get_executor(), shell("exec sleep 1000"));
  ASSERT_TRUE(p);
  asio::cancellation_signal stop;
  std::optional<result<exit_status>> got;
  asio::co_spawn(loop, p->wait(), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, result<exit_status> r) {
                   got = std::move(r);
                 }));
  asio::post(loop, [&] { stop.emit(asio::cancellation_type::terminal); });
  while (!got) loop.run_one();
  EXPECT_EQ(got->error().code, errc::cancelled);
  EXPECT_TRUE(p->signal(0));
}

TEST(Process, AHandlerMayDestroyItsProcess) {
  for (const bool by_line : {true, false}) {
    asio::io_context loop(1);
    std::optional<process> p;
    int calls = 0;
    stdio_options io;
    auto destroy = [&](output_stream, std::string_view) {
      ++calls;
      p.reset();
    };
    if (by_line) io.on_line = destroy;
    else io.on_data = destroy;
    p.emplace(std::move(*process::start(loop.get_executor(), shell("printf 'a\\nb\\nc'; exec sleep 1000"), io)));
    loop.run();
    EXPECT_EQ(calls, 1);
  }
}

TEST(Process, StopReachesMembersThatOutliveTheLeader) {
  auto work = []() -> awaitable<bool> {
    pid_t member = 0;
    stdio_options io;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("(trap '' TERM; exec sleep 1000) & echo $!; wait"), io);
    const bool started = co_await eventually([&] { return member != 0; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(seconds(60));
    EXPECT_EQ(*r, (exit_status{0, SIGTERM}));
    EXPECT_TRUE(dies(member));
    co_return true;
  };
  run(work());
}

TEST(Process, AWaitEndsWhenTheObjectGoes) {
  asio::io_context loop(1);
  std::optional<process> p(std::move(*process::start(loop.get_executor(), shell("exec sleep 1000"))));
  std::optional<result<exit_status>> got;
  asio::co_spawn(loop, p->wait(), [&](std::exception_ptr, result<exit_status> r) { got = std::move(r); });
  asio::post(loop, [&] { p.reset(); });
  loop.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, errc::closed);
}

TEST(Process, MovesAndAMovedFromOneSaysState) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    process a = std::move(*process::start(ex, shell("read x; exit 1"), [] {
      stdio_options io;
      io.in = stdio_options::input::pipe;
      return io;
    }()));
    process b = std::move(*process::start(ex, shell("exec sleep 1000")));
    const pid_t killed = b.pid();
    b = std::move(a);
    EXPECT_EQ(a.pid(), -1);  // NOLINT(bugprone-use-after-move)
    auto none = co_await a.wait();
    EXPECT_EQ(none.error().code, errc::state);
    b.close_stdin();
    auto r = co_await b.wait();
    EXPECT_EQ(r->code, 1);
    const bool gone = co_await eventually([&] { return process_state(killed).empty(); });
    EXPECT_TRUE(gone);
    co_return true;
  };
  run(work());
}

TEST(Process, WriteTakesAnySizeAndSaysClosedWhenNobodyReads) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto p = process::start(ex, shell("wc -c"), io);
    const std::string big(3 << 20, 'x');
    auto w = co_await p->write(big);
    EXPECT_TRUE(w);
    p->close_stdin();
    auto r = co_await p->wait();
    EXPECT_TRUE(r->success());
    EXPECT_EQ(p->output(output_stream::out), std::to_string(big.size()) + "\n");
    auto late = co_await p->write("x");
    EXPECT_EQ(late.error().code, errc::closed);

    auto deaf = process::start(ex, shell("exec <&-; echo closed; sleep 1000"), io);
    auto refused = co_await deaf->write(big);
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::closed);
    co_return true;
  };
  run(work());
}

TEST(Process, FiveHundredLeaveNoZombieAndNoDescriptor) {
  asio::io_context loop(1);
  auto once = []() -> awaitable<bool> {
    for (int i = 0; i < 500; ++i) {
      spawn_options o;
      o.argv = {"/bin/true"};
      auto r = co_await run_process(std::move(o));
      EXPECT_TRUE(r && r->status.success());
    }
    co_return true;
  };
  test::run_on(loop, once());
  const auto before = test::open_descriptors();
  test::run_on(loop, once());
  EXPECT_EQ(test::open_descriptors(), before);
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  std::string list;
  std::getline(children, list);
  EXPECT_EQ(list, "");
}

TEST(Process, OutOfDescriptorsIsACleanErrorAtEveryStep) {
  asio::io_context loop(1);
  auto warm = process::start(loop.get_executor(), shell("true"));  // the loop makes its own descriptors on first use
  ASSERT_TRUE(warm);
  loop.run();
  warm->detach();
  const auto before = test::open_descriptors();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  stdio_options io;
  io.in = stdio_options::input::pipe;
  int failures = 0;
  int successes = 0;
  for (std::size_t free = 0; free < 9; ++free) {  // six pipe ends and a pidfd
    const rlimit low{before + 16, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    std::vector<unique_fd> taken;
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      taken.emplace_back(fd);
    }
    for (std::size_t i = 0; i < free; ++i) taken.pop_back();
    {
      auto p = process::start(loop.get_executor(), shell("true"), io);
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
      if (p) {
        ++successes;
      } else {
        ++failures;
        EXPECT_EQ(p.error().code, errc::spawn_failed);
        EXPECT_EQ(p.error().sys_errno, EMFILE);
        EXPECT_FALSE(p.error().hint.empty());
      }
    }
    taken.clear();
    loop.restart();
    loop.run();
    EXPECT_EQ(test::open_descriptors(), before) << free;
  }
  EXPECT_EQ(failures, 7);
  EXPECT_EQ(successes, 2);
}

TEST(Process, AStandardStreamNamedTwiceIsRefused) {
  asio::io_context loop(1);
  auto o = shell("true");
  o.fds = {{1, 1}};
  auto p = process::start(loop.get_executor(), o);
  ASSERT_FALSE(p);
  EXPECT_EQ(p.error().code, errc::invalid);
}

TEST(Process, OutputToADescriptorOfOurs) {
  test::scratch_directory dir;
  std::FILE* file = std::fopen((dir / "out").c_str(), "w+e");
  ASSERT_NE(file, nullptr);
  stdio_options io;
  io.out = stdio_options::output::fd;
  io.out_fd = ::fileno(file);
  auto r = run(run_process(shell("echo hello"), io));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->out, "");
  char text[16] = {};
  std::rewind(file);
  EXPECT_EQ(std::fread(text, 1, sizeof text, file), 6U);
  std::fclose(file);
  EXPECT_STREQ(text, "hello\n");
}

}  // namespace
}  // namespace berth
