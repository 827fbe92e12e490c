// SPDX-License-Identifier: Apache-2.0
// The keeper of docker-proxy, as dockerd starts it; the real one is a script here.
#include "guest/runtime/port_proxy.hpp"

#include "guest_process.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

class PortProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-port-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    fs::create_directories(directory_ + "/before");
    fs::create_directories(directory_ + "/real");
    fs::create_symlink(BERTH_GUEST_PROGRAM, directory_ + "/before/docker-proxy");
    write_real("if [ -e " + directory_ +
               "/taken ]; then printf '1\\nthe port is taken' >&3; exit 1; fi\n"
               "trap 'echo ended >> " +
               directory_ +
               "/seen; exit 0' TERM INT\n"
               "printf '0\\n' >&3; exec 3>&-\n"
               "while :; do sleep 0.02; done\n");
  }
  void TearDown() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      ::waitpid(pid_, nullptr, 0);
    }
    fs::remove_all(directory_);
  }

  void write_real(const std::string& script) const {
    const std::string path = directory_ + "/real/docker-proxy";
    std::ofstream(path) << "#!/bin/sh\necho \"$@\" >> " << directory_ << "/seen\n" << script;
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  /// As dockerd does it, to the answer.
  std::string start(std::vector<std::string> args) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const unique_fd reading(ends[0]);
    unique_fd writing(ends[1]);
    std::string program = directory_ + "/before/docker-proxy";
    const std::string path = directory_ + "/before:" + directory_ + "/real:/usr/bin:/bin";
    std::vector<char*> words{program.data()};
    for (std::string& arg : args) words.push_back(arg.data());
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setenv("PATH", path.c_str(), 1);
      // What dockerd hands over has the numbers 3 and 4.
      const int answer = ::fcntl(writing.get(), F_DUPFD_CLOEXEC, 10);
      const int listener = ::fcntl(::open("/dev/null", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 10);
      if (::dup2(answer, 3) == 3 && ::dup2(listener, 4) == 4) ::execv(program.c_str(), words.data());
      ::_exit(99);
    }
    writing.reset();
    std::string answer;
    char piece[256];
    for (ssize_t n; (n = ::read(reading.get(), piece, sizeof piece)) > 0;)
      answer.append(piece, static_cast<std::size_t>(n));
    return answer;
  }

  std::string name() const { return slurp("/proc/" + std::to_string(pid_) + "/comm"); }
  bool is_called(const char* wanted) const {
    return eventually([&] { return name() == std::string(wanted) + "\n"; });
  }
  std::string seen() const { return slurp(directory_ + "/seen"); }
  template <class Condition>
  static bool eventually(Condition holds) {
    for (int i = 0; i < 6000; ++i, ::usleep(10'000))
      if (holds()) return true;
    return false;
  }
  int exit_code() {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const std::vector<std::string> args_{"-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", "80", "-use-listen-fd"};
  std::string directory_;
  pid_t pid_ = 0;
};

TEST_F(PortProxyTest, EndsTheRealOneAndBeginsAnotherWhileDockerdSeesOne) {
  EXPECT_EQ(start(args_), "0\n");
  EXPECT_TRUE(is_called(guest::port_proxy_name));
  EXPECT_EQ(seen(), "-proto tcp -host-ip 0.0.0.0 -host-port 80 -use-listen-fd\n");
  ASSERT_EQ(::kill(pid_, SIGUSR1), 0);
  EXPECT_TRUE(is_called(guest::port_proxy_away_name));
  EXPECT_TRUE(seen().ends_with("\nended\n")) << seen();
  ASSERT_EQ(::kill(pid_, SIGUSR2), 0);
  EXPECT_TRUE(is_called(guest::port_proxy_name));
  EXPECT_TRUE(seen().ends_with("\nended\n-proto tcp -host-ip 0.0.0.0 -host-port 80\n")) << seen();
  ASSERT_EQ(::kill(pid_, SIGINT), 0);
  EXPECT_EQ(exit_code(), 0);
  EXPECT_TRUE(seen().ends_with("80\nended\n")) << seen();
}

TEST_F(PortProxyTest, AnEndWhileItIsAwayIsOne) {
  EXPECT_EQ(start(args_), "0\n");
  EXPECT_TRUE(is_called(guest::port_proxy_name));
  ASSERT_EQ(::kill(pid_, SIGUSR1), 0);
  EXPECT_TRUE(is_called(guest::port_proxy_away_name));
  ASSERT_EQ(::kill(pid_, SIGTERM), 0);
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(PortProxyTest, TriesUntilThePortIsFree) {
  EXPECT_EQ(start(args_), "0\n");
  EXPECT_TRUE(is_called(guest::port_proxy_name));
  ASSERT_EQ(::kill(pid_, SIGUSR1), 0);
  EXPECT_TRUE(is_called(guest::port_proxy_away_name));
  const std::string taken = directory_ + "/taken";
  std::ofstream{taken};
  ASSERT_EQ(::kill(pid_, SIGUSR2), 0);
  const auto tries = [this] {
    const std::string all = seen();
    return std::count(all.begin(), all.end(), '\n');
  };
  EXPECT_TRUE(eventually([&] { return tries() >= 5; })) << seen();
  EXPECT_TRUE(is_called(guest::port_proxy_away_name));
  fs::remove(taken);
  EXPECT_TRUE(is_called(guest::port_proxy_name));
}

TEST_F(PortProxyTest, WhatTheRealOneSaysAndHowItEndsReachesDockerd) {
  std::ofstream{directory_ + "/taken"};
  EXPECT_EQ(start(args_), "1\nthe port is taken");
  EXPECT_EQ(exit_code(), 1);
  write_real("printf '0\\n' >&3; exec 3>&-; kill -9 $$\n");
  EXPECT_EQ(start(args_), "0\n");
  EXPECT_EQ(exit_code(), 128 + SIGKILL);
}

TEST_F(PortProxyTest, WhatAsksForAVersionBecomesTheRealOne) {
  write_real("printf 'docker-proxy version 1' >&3; exit 7\n");
  EXPECT_EQ(start({"--version"}), "docker-proxy version 1");
  EXPECT_EQ(exit_code(), 7);
  fs::remove(directory_ + "/real/docker-proxy");
  EXPECT_EQ(start(args_), "1\nthere is no docker-proxy in this sandbox");
  EXPECT_EQ(exit_code(), 127);
}

}  // namespace
}  // namespace berth::test
