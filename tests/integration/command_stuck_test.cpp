// SPDX-License-Identifier: Apache-2.0
// Sandboxes, and a runsc, that answer nothing: every verb comes to its end and says so. That these end at all, with the
// right words, is what is tested; how long the verbs take is written down in docs/reference/command.md.
#include "support/command_fixture.hpp"

#include <berth/sandbox/process_identity.hpp>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth_test {
namespace {

namespace fs = std::filesystem;

class CommandStuck : public command_test {
 protected:
  pid_t sandbox_pid(const std::string& id) {
    return std::stoi(parsed_json(run({"status", "--json", id}).out).at({"pid"}));
  }
  std::string state_of(const std::string& id) { return parsed_json(run({"status", "--json", id}).out).at({"state"}); }

  static void stop(pid_t pid) {
    ASSERT_EQ(::kill(pid, SIGSTOP), 0);
    ASSERT_TRUE(eventually([&] { return berth::is_stopped(berth::process_identity::of(pid)); }));
  }

  static int clients(const std::string& root) {
    int found = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream in(entry.path() / "cmdline", std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(in)), {});
      if (text.find("--root=" + root) != std::string::npos &&
          text.find(std::string("\0exec\0", 6)) != std::string::npos)
        ++found;
    }
    return found;
  }
};

TEST_F(CommandStuck, AStoppedSandboxHoldsUpNoVerb) {
  ASSERT_EQ(run(run_words({"-d", "--id", "well"})).code, 0);
  ASSERT_EQ(run(run_words({"-d", "--id", "stuck"})).code, 0);
  const pid_t pid = sandbox_pid("stuck");
  stop(pid);
  EXPECT_EQ(state_of("stuck"), "unresponsive");
  const parsed_json list(run({"ls", "--json"}).out);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool stopped = list.at({std::to_string(i), "id"}) == "stuck";
    EXPECT_EQ(list.at({std::to_string(i), "state"}), stopped ? "unresponsive" : "running");
  }
  const command_output wait = run({"wait", "--timeout", "1", "stuck"});
  EXPECT_EQ(wait.code, 1);
  EXPECT_NE(wait.err.find("unresponsive"), std::string::npos) << wait.err;
  const command_output exec = run({"exec", "--timeout", "1", "stuck", "--", "true"});
  EXPECT_EQ(exec.code, 3);
  EXPECT_NE(exec.err.find("its process is stopped"), std::string::npos) << exec.err;
  EXPECT_NE(exec.err.find("berth rm --force stuck"), std::string::npos) << exec.err;
  EXPECT_TRUE(eventually([&] { return clients(root_) == 0; })) << "nobody waits for it any more";
  EXPECT_EQ(run({"gc"}).out, "");
  // It is not lost: it goes on where it was.
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  EXPECT_TRUE(eventually([&] { return state_of("stuck") == "running"; }));
  EXPECT_EQ(run({"exec", "stuck", "--", "echo", "on"}).out, "on\n");
  stop(pid);
  EXPECT_EQ(run({"rm", "--force", "stuck"}).out, "stuck\n");
  // Without --force, too: nothing in there could be stopped in order.
  stop(sandbox_pid("well"));
  EXPECT_EQ(run({"rm", "--timeout", "100", "well"}).out, "well\n");
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandStuck, ARunscThatHangsHoldsUpNoVerb) {
  char directory[] = "/tmp/berth-hang-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string runsc = std::string(directory) + "/runsc", real = runsc_;
  std::ofstream(runsc) << "#!/bin/sh\nexec " << real << " \"$@\"\n";
  fs::permissions(runsc, fs::perms::owner_all);
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--runsc", runsc})).code, 0);
  ASSERT_EQ(state_of("box"), "running");
  // Another file, so that what was known of it counts no more.
  std::ofstream(runsc + ".new") << "#!/bin/sh\nexec sleep 1000\n";
  fs::permissions(runsc + ".new", fs::perms::owner_all);
  fs::rename(runsc + ".new", runsc);
  EXPECT_EQ(state_of("box"), "unresponsive");
  EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).at({"0", "state"}), "unresponsive");
  const command_output exec = run({"exec", "--via-runsc", "--timeout", "1", "box", "--", "true"});
  EXPECT_EQ(exec.code, 3) << exec.err;
  EXPECT_EQ(run({"exec", "box", "--", "echo", "without runsc"}).out, "without runsc\n");
  const command_output made = run(run_words({"--docker", "--timeout", "1", "--runsc", runsc, "--", "true"}));
  EXPECT_EQ(made.code, 3) << made.err;
  // Its sandbox is proved to be one by the program that runs it.
  EXPECT_EQ(run({"rm", "--force", "box"}).out, "box\n");
  EXPECT_EQ(left_now(), "");
  fs::remove_all(directory);
}

TEST_F(CommandStuck, ANetworkThatIsAFifoIsRefused) {
  const std::string fifo = root_ + "-fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const command_output got = run({"run", "--rootfs", rootfs_, "--network", fifo, "--", "true"});
  EXPECT_EQ(got.code, 1);
  EXPECT_NE(got.err.find("it is no network namespace"), std::string::npos) << got.err;
  fs::remove(fifo);
}

TEST_F(CommandStuck, ARecordThatIsNoFileHasOneAnswer) {
  for (const char* make : {"mkfifo ", "mkdir ", "ln -s /etc/passwd "}) {
    SCOPED_TRACE(make);
    ASSERT_EQ(run(run_words({"-d", "--id", "box"})).code, 0);
    const std::string record = root_ + "/box/record.json";
    ASSERT_EQ(std::system(("rm " + record + " && " + make + record).c_str()), 0);
    EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).at({"0", "state"}), "damaged");
    EXPECT_EQ(state_of("box"), "damaged");
    const command_output gc = run({"gc"});
    EXPECT_EQ(gc.out, "");
    EXPECT_NE(gc.err.find("berth rm box"), std::string::npos) << gc.err;
    EXPECT_EQ(run({"rm", "--force", "box"}).out, "box\n");
    EXPECT_EQ(left_now(), "");
  }
}

// The same path in another mount namespace is another root, though the host's processes are seen from there.
TEST_F(CommandStuck, ASandboxOfTheSamePathElsewhereIsSpared) {
  ASSERT_EQ(run({"run", "-d", "--id", "box", "--rootfs", rootfs_}).code, 0);
  const std::string real = berth_, script = root_ + "-berth";
  std::ofstream(script) << "#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs -o mode=0700 none " << root_ << " && "
                        << real << " gc && " << real << " run --id box --rootfs " << rootfs_ << " -- true && " << real
                        << " gc && ! " << real << " rm --force box'\n";
  fs::permissions(script, fs::perms::owner_all);
  berth_ = script;
  const command_output got = run({});
  berth_ = real;
  fs::remove(script);
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(run({"exec", "box", "--", "echo", "well"}).out, "well\n");
  EXPECT_EQ(run({"rm", "box"}).code, 0);
}

}  // namespace
}  // namespace berth_test
