// SPDX-License-Identifier: Apache-2.0
#include "support/command_fixture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <thread>

namespace berth_test {

namespace {

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<char*> pointers(std::vector<std::string>& list) {
  std::vector<char*> out;
  for (std::string& s : list) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

started_command::~started_command() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void started_command::signal(int signo) const { ASSERT_EQ(::kill(pid_, signo), 0); }

void started_command::read_some() {
  struct pollfd both[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  if (::poll(both, 2, -1) <= 0) return;
  for (int i = 0; i < 2; ++i) {
    int& fd = i == 0 ? out_ : err_;
    if (both[i].revents == 0) continue;
    char buffer[64 * 1024];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
      (i == 0 ? so_far_.out : so_far_.err).append(buffer, static_cast<std::size_t>(n));
    } else {
      ::close(fd);
      fd = -1;
    }
  }
}

bool started_command::wait_for_stderr(const std::string& text) {
  while (so_far_.err.find(text) == std::string::npos) {
    if (err_ < 0) return false;
    read_some();
  }
  return true;
}

bool started_command::ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

command_output started_command::finish() {
  while (out_ >= 0 || err_ >= 0) read_some();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  so_far_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return so_far_;
}

parsed_json::parsed_json(const std::string& text) {
  auto parsed = berth::parsed_json::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().to_string()) << "\nin: " << text;
  if (parsed) content_.emplace(std::move(*parsed));
}

std::string parsed_json::at(const std::vector<std::string>& path) const {
  berth::json_view v = content_ ? content_->root() : berth::json_view();
  for (const std::string& step : path) v = v.is_array() ? v.at(std::stoul(step)) : v[step];
  if (!v) return "(absent)";
  return v.text() ? std::string(*v.text()) : v.to_json();
}

std::size_t parsed_json::size() const { return content_ ? content_->root().size() : 0; }

void command_test::SetUp() {
  ASSERT_EQ(::geteuid(), 0u) << "these tests need root";
  runsc_ = variable("BERTH_RUNSC");
  rootfs_ = variable("BERTH_TEST_ROOTFS");
  image_ = variable("BERTH_TEST_IMAGE");
  image_name_ = variable("BERTH_TEST_IMAGE_NAME");
  ASSERT_FALSE(runsc_.empty() || rootfs_.empty() || image_.empty() || image_name_.empty())
      << "BERTH_RUNSC, BERTH_TEST_ROOTFS, BERTH_TEST_IMAGE and BERTH_TEST_IMAGE_NAME must be set; scripts/test does";
  ASSERT_FALSE(variable("BERTH_BUILD").empty()) << "BERTH_BUILD must name the build directory; ctest sets it";
  berth_ = variable("BERTH_BUILD") + "/bin/berth";
  ASSERT_EQ(::access(berth_.c_str(), X_OK), 0) << berth_ << " is not built";
  char path[] = "/tmp/berth-XXXXXX";
  ASSERT_NE(::mkdtemp(path), nullptr);
  root_ = path;
  // What comes with the first sandbox and stays: the cache of runsc's flags, /run/netns.
  ASSERT_EQ(run({"-q", "run", "--rootfs", rootfs_, "--", "true"}).code, 0);
  before_ = census::take(root_);
  ready_ = true;
}

void command_test::TearDown() {
  if (!ready_) return;
  const std::string left = left_now();
  EXPECT_EQ(left, "");
  if (!left.empty()) {  // a test that failed midway: what it made is removed all the same
    const command_output ids = run({"ls", "--ids"});
    for (std::size_t at = 0; at < ids.out.size();) {
      const std::size_t end = ids.out.find('\n', at);
      run({"rm", "--force", ids.out.substr(at, end - at)});
      at = end + 1;
    }
    run({"gc"});
  }
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string command_test::must(std::vector<std::string> words, const std::string& input) {
  const command_output done = run(words, input);
  std::string shown;
  for (const std::string& word : words) shown += word + " ";
  EXPECT_EQ(done.code, 0) << shown << "\n" << done.out << done.err;
  std::string out = done.out;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::unique_ptr<started_command> command_test::start(std::vector<std::string> words, const std::string& input) {
  words.insert(words.begin(), berth_);
  std::vector<std::string> environment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
                                       "BERTH_ROOT=" + root_, "BERTH_RUNSC=" + runsc_};
  environment.insert(environment.begin(), variables_.begin(), variables_.end());
  std::FILE* in = std::tmpfile();
  EXPECT_EQ(std::fwrite(input.data(), 1, input.size(), in), input.size());
  std::rewind(in);
  int out[2], err[2];
  EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(err, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(in), 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  pid_t pid = -1;
  EXPECT_EQ(
      ::posix_spawn(&pid, berth_.c_str(), &actions, nullptr, pointers(words).data(), pointers(environment).data()), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  std::fclose(in);
  ::close(out[1]);
  ::close(err[1]);
  return std::make_unique<started_command>(pid, out[0], err[0]);
}

command_output command_test::run(std::vector<std::string> words, const std::string& input) {
  return start(std::move(words), input)->finish();
}

std::vector<std::string> command_test::run_words(std::vector<std::string> more) const {
  std::vector<std::string> words{"run", "--rootfs", rootfs_, "--network", "none"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

int command_test::watch() const {
  std::FILE* found = ::popen(("pgrep -f '^[^ ]*berth-init watch " + root_ + " '").c_str(), "re");
  int pid = 0;
  if (std::fscanf(found, "%d", &pid) != 1) pid = 0;
  ::pclose(found);
  return pid;
}

bool command_test::eventually(const std::function<bool()>& condition) {
  for (const auto began = std::chrono::steady_clock::now();
       std::chrono::steady_clock::now() - began < std::chrono::seconds(60);
       std::this_thread::sleep_for(std::chrono::milliseconds(50)))
    if (condition()) return true;
  return condition();
}

}  // namespace berth_test
