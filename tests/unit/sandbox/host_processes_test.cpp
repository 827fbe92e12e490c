// SPDX-License-Identifier: Apache-2.0
// What proves that a process, and a name on the host, is a root directory's own.
#include <berth/base/token.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace berth;
using namespace std::string_view_literals;

constexpr std::string_view prefix = "abcde";
constexpr const char* token = "abcdefghijklm";

class HostProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/berth-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
    ASSERT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
    fs::remove_all(root_);
  }

  /// A shell that waits under the name of runsc's, with its arguments behind, and with `log` open where it is given.
  pid_t start(const std::string& program, const std::string& directory, const std::string& container,
              const std::string& log = {}) {
    const std::string argument = "--root=" + directory + "/run";
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::dup2(ends_[0], STDIN_FILENO);
      if (!log.empty() && ::open(log.c_str(), O_RDWR | O_CREAT, 0600) < 0) ::_exit(126);
      ::execl(program.c_str(), "runsc-sandbox", "-c", "read line; :", "x", argument.c_str(), "boot", container.c_str(),
              static_cast<char*>(nullptr));
      ::_exit(127);
    }
    pids_.push_back(pid);
    // The kernel names the new program in /proc/PID/exe a moment before it lays out the new arguments: both are waited
    // for.
    const std::string directory_of_it = "/proc/" + std::to_string(pid);
    const auto started = [&] {
      std::error_code failed;
      if (fs::read_symlink(directory_of_it + "/exe", failed) != program) return false;
      std::ifstream arguments(directory_of_it + "/cmdline", std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(arguments), {}).find(container) != std::string::npos;
    };
    for (int i = 0; i < 6000 && !started(); ++i) ::usleep(1000);
    return pid;
  }

  /// The shell's program under another name.
  std::string shell_called(const std::string& name) {
    const std::string path = root_ + "/bin-" + name + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    fs::copy_file("/bin/sh", path, fs::copy_options::skip_existing);
    return path;
  }

  std::vector<pid_t> found(const std::string& directory, const std::string& runsc = {},
                           std::string_view known = prefix) {
    detail::runsc_owner owner;
    owner.directory = directory;
    owner.prefix = known;
    owner.runsc = runsc;
    const auto processes = detail::find_runsc_processes(owner);
    EXPECT_TRUE(processes) << processes.error().to_string();
    std::vector<pid_t> out;
    for (const auto& process : *processes) out.push_back(process.identity.pid);
    return out;
  }

  std::string root_;
  int ends_[2];  // open until the test is over: the processes read from it
  std::vector<pid_t> pids_;
};

TEST(HostProcessArguments, AreReadOffTheCommandLine) {
  auto one = detail::parse_runsc_arguments("runsc-sandbox\0--debug-log=/l/\0--root=/b/x/run\0boot\0--bundle=/y\0tok"sv);
  EXPECT_EQ(one.root, "/b/x/run");
  EXPECT_EQ(one.program, "runsc-sandbox");
  EXPECT_FALSE(one.client);
  one = detail::parse_runsc_arguments("runsc-gofer\0--root=/b/x/run\0gofer\0tok"sv);
  EXPECT_EQ(one.root, "/b/x/run");
  EXPECT_FALSE(one.client);
  EXPECT_FALSE(detail::parse_runsc_arguments("/usr/bin/runsc\0--root=/b/x/run\0run\0--detach\0tok"sv).client);
  one = detail::parse_runsc_arguments("/usr/bin/runsc\0--root=/b/x/run\0exec\0tok\0run\0gofer"sv);
  EXPECT_EQ(one.root, "/b/x/run");
  EXPECT_TRUE(one.client);
  // What stands in a command that runs inside is no option of runsc's.
  EXPECT_EQ(detail::parse_runsc_arguments("/usr/bin/runsc\0exec\0tok\0--root=/b/x/run"sv).root, "");
  EXPECT_EQ(detail::parse_runsc_arguments("vi\0/b/x/run"sv).root, "");
  EXPECT_EQ(detail::parse_runsc_arguments(""sv).root, "");

  EXPECT_EQ(detail::find_token_argument("runsc\0--root=/b/x/run\0boot\0abcdefghijklm\0\0\0"sv, "abcde"),
            "abcdefghijklm");
  EXPECT_EQ(detail::find_token_argument("runsc\0boot\0abcdXfghijklm"sv, "abcde"), "");
  EXPECT_EQ(detail::find_token_argument("runsc\0boot\0abcdefghijkl/"sv, "abcde"), "");
}

TEST_F(HostProcesses, AreOnesThatRunARunsc) {
  const std::string directory = root_ + "/box";
  const pid_t stranger = start(shell_called("sleeper"), directory, token);
  EXPECT_EQ(found(directory), std::vector<pid_t>{}) << "argv alone proves nothing: " << stranger;
  const pid_t by_name = start(shell_called("runsc"), directory, token);
  EXPECT_EQ(found(directory), std::vector<pid_t>{by_name});
  // The binary of the record, whatever its name is.
  const std::string binary = shell_called("gvisor");
  const pid_t by_file = start(binary, directory, token);
  EXPECT_EQ(found(directory, binary), (std::vector<pid_t>{by_name, by_file}));
}

TEST_F(HostProcesses, AreOfTheRootByTheirToken) {
  const std::string directory = root_ + "/box";
  start(shell_called("runsc"), directory, "zzzzzfghijklm");  // of a root that has the same path elsewhere
  EXPECT_EQ(found(directory), std::vector<pid_t>{});
}

TEST_F(HostProcesses, OfARootWithoutAMarkAreKnownByTheFilesThatTheyHold) {
  const std::string directory = root_ + "/box", log = directory + "/logs/init.log";
  fs::create_directories(directory + "/logs");
  start(shell_called("runsc"), directory, token);
  const pid_t with_log = start(shell_called("runsc"), directory, token, log);
  EXPECT_EQ(found(directory, {}, ""), std::vector<pid_t>{with_log});
}

TEST_F(HostProcesses, ThatHoldAnotherDirectoryOfTheNameAreNotItsOwn) {
  const std::string directory = root_ + "/box";
  fs::create_directories(directory + "/logs");
  const pid_t pid = start(shell_called("runsc"), directory, token, directory + "/logs/init.log");
  EXPECT_EQ(found(directory), std::vector<pid_t>{pid});
  const auto seen = [&] {
    const auto all = detail::find_root_processes(root_, std::string(prefix));
    EXPECT_TRUE(all) << all.error().to_string();
    EXPECT_EQ(all->size(), 1u);
    return all->empty() ? detail::state_view::unknown : all->front().state;
  };
  EXPECT_EQ(seen(), detail::state_view::same);
  fs::remove(directory + "/logs/init.log");
  EXPECT_EQ(seen(), detail::state_view::removed);
}

TEST_F(HostProcesses, ThoseOfARootWithinTheRootAreNotItsOwn) {
  const std::string runsc = shell_called("runsc");
  for (const char* below : {"/box", "/.inner/box", "/inner/box"}) start(runsc, root_ + below, token);
  const auto directories = [](const std::string& root) {
    std::vector<std::string> out;
    const auto all = detail::find_root_processes(root, std::string(prefix));
    EXPECT_TRUE(all);
    for (const auto& process : *all) out.push_back(process.directory);
    return out;
  };
  EXPECT_EQ(directories(root_), std::vector<std::string>{root_ + "/box"});
  EXPECT_EQ(directories(root_ + "/.inner"), std::vector<std::string>{root_ + "/.inner/box"});
}

// In a process of its own: the limit stays.
TEST_F(HostProcesses, ThatCannotBeLookedForAreAnError) {
  const std::string directory = root_ + "/box";
  start(shell_called("runsc"), directory, token);
  for (const int spare : {0, 1}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const process_identity parent = process_identity::of(::getppid());
      const struct rlimit few { 64, 64 };
      ::setrlimit(RLIMIT_NOFILE, &few);
      int last = -1;
      for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) last = fd;
      for (int i = 0; i < spare; ++i) ::close(last - i);
      detail::runsc_owner owner;
      owner.directory = directory;
      owner.prefix = prefix;
      if (detail::find_runsc_processes(owner)) ::_exit(1);
      if (spare == 0 && !parent.alive()) ::_exit(2);  // it is there, though it cannot be looked at
      if (spare == 0 && process_identity::look(::getpid())) ::_exit(3);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << spare << " descriptors free";
  }
}

TEST(RootMarker, IsOfOneDirectoryOnly) {
  char path[] = "/tmp/berth-unit-XXXXXX";
  ASSERT_NE(::mkdtemp(path), nullptr);
  const std::string root = std::string(path) + "/root", copy = std::string(path) + "/copy";
  fs::create_directory(root);
  EXPECT_EQ(detail::find_root_prefix(root).value(), "");
  const auto mine = detail::make_root_prefix(root);
  ASSERT_TRUE(mine) << mine.error().to_string();
  EXPECT_EQ(mine->size(), detail::root_prefix_size);
  EXPECT_EQ(detail::make_root_prefix(root).value(), *mine);
  EXPECT_EQ(detail::find_root_prefix(root).value(), *mine);
  EXPECT_EQ(std::distance(fs::directory_iterator(root), fs::directory_iterator()), 1) << "and nothing beside it";
  fs::copy(root, copy, fs::copy_options::recursive);
  EXPECT_EQ(detail::find_root_prefix(copy).value(), "");
  EXPECT_NE(detail::make_root_prefix(copy).value(), *mine);
  fs::rename(root, root + "-moved");
  EXPECT_EQ(detail::find_root_prefix(root + "-moved").value(), *mine);
  fs::remove_all(path);
}

}  // namespace
