// SPDX-License-Identifier: Apache-2.0
// `berth exec -it` and `berth shell` as a user sees them: through a pseudo-terminal.
#include "support/command_fixture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <csignal>
#include <cstdlib>

namespace berth_test {
namespace {

/// A command with a terminal of ours, which the test types on and reads from.
class on_terminal {
 public:
  on_terminal(const std::string& berth, const std::string& root, const std::vector<std::string>& words,
              unsigned short rows, unsigned short columns) {
    const struct winsize size = {rows, columns, 0, 0};
    int outside = -1;
    if (::openpty(&master_, &outside, nullptr, nullptr, &size) != 0) return;
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    tcgetattr(outside, &before_);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::login_tty(outside);
      ::setenv("BERTH_ROOT", root.c_str(), 1);
      ::setenv("TERM", "xterm-256color", 1);
      std::vector<char*> argv = {const_cast<char*>(berth.c_str())};
      for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      ::execv(berth.c_str(), argv.data());
      ::_exit(127);
    }
    outside_ = outside;  // kept, so that the terminal's state can be looked at when the command has ended
  }
  ~on_terminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
    ::close(outside_);
  }
  on_terminal(const on_terminal&) = delete;
  on_terminal& operator=(const on_terminal&) = delete;

  void type(const std::string& keys) {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void resize(unsigned short rows, unsigned short columns) {
    const struct winsize size = {rows, columns, 0, 0};
    ASSERT_EQ(::ioctl(master_, TIOCSWINSZ, &size), 0);
  }
  /// Reads until `text` has come since the last call; false when it does not.
  bool sees(const std::string& text) {
    for (int i = 0; i < 3000; ++i) {
      const std::size_t at = shown_.find(text, seen_);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      read_some(20);
    }
    ADD_FAILURE() << "'" << text << "' has not come; what came is: " << shown_;
    return false;
  }
  bool answers(const std::string& keys, const std::string& text) {
    type(keys);
    return sees(text);
  }
  int finish() {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) read_some(20);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  bool is_as_before() const {
    termios now{};
    return tcgetattr(outside_, &now) == 0 && now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
           now.c_oflag == before_.c_oflag;
  }
  pid_t pid() const { return pid_; }
  const std::string& shown() const { return shown_; }

 private:
  void read_some(int patience_ms) {
    struct pollfd ready = {master_, POLLIN, 0};
    char buffer[4096];
    if (::poll(&ready, 1, patience_ms) <= 0) return;
    const ssize_t n = ::read(master_, buffer, sizeof buffer);
    if (n > 0) shown_.append(buffer, static_cast<std::size_t>(n));
  }

  int master_ = -1, outside_ = -1;
  pid_t pid_ = -1;
  termios before_{};
  std::string shown_;
  std::size_t seen_ = 0;
};

class CommandTerminal : public command_test {
 protected:
  void SetUp() override {
    command_test::SetUp();
    if (!ready_) return;
    ASSERT_EQ(run(run_words({"-d", "--id", "box"})).code, 0);
  }
  void TearDown() override {
    if (ready_) {
      EXPECT_EQ(run({"rm", "--force", "box"}).code, 0);
    }
    command_test::TearDown();
  }
  std::unique_ptr<on_terminal> open(const std::vector<std::string>& words) {
    return std::make_unique<on_terminal>(berth_, root_, words, 33, 99);
  }
};

TEST_F(CommandTerminal, ExecGivesATerminalOfOurSizeAndItsExitCode) {
  const auto it = open(
      {"exec", "-it", "box", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2; stty size; echo $TERM; exit 7"});
  EXPECT_TRUE(it->sees("33 99"));
  EXPECT_TRUE(it->sees("xterm-256color"));
  EXPECT_EQ(it->finish(), 7);
  EXPECT_TRUE(it->is_as_before());
}

TEST_F(CommandTerminal, KeysGoToTheProgramInside) {
  const auto it = open({"exec", "-it", "box", "--", "sh"});
  // The echo of what is typed is not what is waited for: the words are put together inside.
  ASSERT_TRUE(it->answers("echo re''ady\r", "ready"));
  it->type("sleep 4711; echo inter''rupted\r");
  it->type("\x03");
  ASSERT_TRUE(it->answers("echo after the inter''rupt\r", "after the interrupt"));
  ASSERT_TRUE(it->answers("stty size\r", "33 99"));
  it->resize(44, 111);
  ASSERT_TRUE(it->answers("while [ \"$(stty size)\" != '44 111' ]; do sleep 0.05; done; echo resi''zed\r", "resized"));
  it->type("exit 9\r");
  EXPECT_EQ(it->finish(), 9);
  EXPECT_TRUE(it->is_as_before());
}

TEST_F(CommandTerminal, APagerAndAPromptWork) {
  const auto it = open({"exec", "-it", "box", "--", "sh"});
  ASSERT_TRUE(it->answers("seq 500 | more\r", "--More--"));
  ASSERT_TRUE(it->answers("q", "# "));  // what comes sooner is the pager's
  ASSERT_TRUE(it->answers("read -p 'name? ' n; echo \"hello $n\"\r", "name? "));
  ASSERT_TRUE(it->answers("world\r", "hello world"));
  it->type("\x04");
  EXPECT_EQ(it->finish(), 0);
}

TEST_F(CommandTerminal, AnEditorWorks) {
  const auto it = open({"exec", "-it", "box", "--", "sh"});
  // Raw keys, the alternate screen, and the size that it draws to.
  ASSERT_TRUE(it->answers("busybox vi /root/note\r", "\x1b[?1049h"));
  ASSERT_TRUE(it->sees("1/1"));  // its status line: from here on keys are its own
  ASSERT_TRUE(it->answers("ifirst line\rsecond", "[Modified]"));
  ASSERT_TRUE(it->answers("\x1b", "- /root/note"));  // with what follows it at once, the escape would be one key
  ASSERT_TRUE(it->answers(":wq\r", "\x1b[?1049l"));
  ASSERT_TRUE(it->answers("cat /root/note | tr a-z A-Z\r", "FIRST LINE"));
  ASSERT_TRUE(it->sees("SECOND"));
  it->type("exit 4\r");
  EXPECT_EQ(it->finish(), 4);
  EXPECT_TRUE(it->is_as_before());
}

TEST_F(CommandTerminal, AMonitorDrawsToTheSizeAndEndsByItsKey) {
  const auto it = open({"exec", "-it", "box", "--", "top", "-d", "1"});
  ASSERT_TRUE(it->sees("Tasks:"));
  ASSERT_TRUE(it->sees("COMMAND"));
  ASSERT_TRUE(it->sees("top - "));  // once more, by itself
  it->resize(12, 60);
  ASSERT_TRUE(it->sees("Tasks:"));
  it->type("q");
  EXPECT_EQ(it->finish(), 0);
  EXPECT_TRUE(it->is_as_before());
}

TEST_F(CommandTerminal, ALineEditorHasItsHistoryAndItsKeys) {
  const auto it = open({"exec", "-it", "box", "--", "bash", "--norc"});
  ASSERT_TRUE(it->sees("# "));
  ASSERT_TRUE(it->answers("echo $((40 + 2)) on''ce\r", "42 once"));
  ASSERT_TRUE(it->sees("# "));
  ASSERT_TRUE(it->answers("\x1b[A\r", "42 once"));  // the line before, by the arrow
  ASSERT_TRUE(it->sees("# "));
  ASSERT_TRUE(
      it->answers("ho wo''rks\x01"
                  "ec\r",
                  "works"));  // to its beginning by Ctrl-A, and typed there
  it->type("exit 6\r");
  EXPECT_EQ(it->finish(), 6);
  EXPECT_TRUE(it->is_as_before());
}

TEST_F(CommandTerminal, ShellIsALoginShell) {
  const auto it = open({"shell", "-w", "/usr", "box"});
  it->type("pwd; echo \"$0\"; shopt login_shell; exit 3\r");
  EXPECT_TRUE(it->sees("/usr"));
  EXPECT_TRUE(it->sees("login_shell"));
  EXPECT_TRUE(it->sees("on"));
  EXPECT_EQ(it->finish(), 3);
}

TEST_F(CommandTerminal, AHangUpEndsWhatRunsInside) {
  auto it = open({"exec", "-it", "box", "--", "sh", "-c", "echo begun; exec sleep 4711"});
  ASSERT_TRUE(it->sees("begun"));
  ASSERT_EQ(::kill(it->pid(), SIGHUP), 0);
  EXPECT_EQ(it->finish(), 128 + SIGHUP);
  EXPECT_TRUE(it->is_as_before());
  // And one that is killed takes it along too: the connection ends with it.
  it = open({"exec", "-it", "box", "--", "sh", "-c", "echo begun; exec sleep 4711"});
  ASSERT_TRUE(it->sees("begun"));
  it.reset();
  EXPECT_TRUE(eventually([&] { return run({"exec", "box", "--", "pgrep", "-f", "sleep 4711"}).code == 1; }));
}

TEST_F(CommandTerminal, WantsATerminal) {
  const command_output got = run({"exec", "-it", "box", "--", "sh"}, "input");
  EXPECT_EQ(got.code, 2);
  EXPECT_NE(got.err.find("standard input is none"), std::string::npos) << got.err;
}

}  // namespace
}  // namespace berth_test
