// SPDX-License-Identifier: Apache-2.0
// The three cgroup modes, with what each opens: shown by trying.
#include "support/docker_fixture.hpp"

#include <unistd.h>

namespace {

using namespace berth;
using std::string;

// A host process in a host cgroup of the test's own, with a freezer.
class frozen_bait {
 public:
  explicit frozen_bait(string name) : v1_(::access("/sys/fs/cgroup/freezer", F_OK) == 0) {
    directory_ = (v1_ ? "/sys/fs/cgroup/freezer/" : "/sys/fs/cgroup/") + name;
    // On its own session, so that nothing of the test's is frozen with it.
    make_ = "mkdir " + directory_ + " && { setsid sh -c 'echo $$ > " + directory_ +
            "/cgroup.procs; exec sleep 300' >/dev/null 2>&1 & } && sleep 0.3 && cat " + directory_ + "/cgroup.procs";
    remove_ = "echo " + thaw() + " > " + file() + "; kill -9 $(cat " + directory_ +
              "/cgroup.procs); for i in 1 2 3 4 5 6 7 8 9; do "
              "rmdir " +
              directory_ + " 2>/dev/null && break; sleep 0.1; done; ls -d " + directory_ + " 2>/dev/null; true";
  }
  string directory() const { return directory_; }
  string file() const { return directory_ + (v1_ ? "/freezer.state" : "/cgroup.freeze"); }
  string freeze() const { return v1_ ? "FROZEN" : "1"; }
  string thaw() const { return v1_ ? "THAWED" : "0"; }
  const string& make() const { return make_; }
  const string& remove() const { return remove_; }

 private:
  bool v1_;
  string directory_, make_, remove_;
};

class DockerCgroups : public berth_test::docker_test {
 protected:
  void make_mode(cgroup_mode mode) { make_mode(mode, config()); }
  void make_mode(cgroup_mode mode, sandbox_config what) {
    docker_recipe recipe = tmpfs_recipe();
    recipe.cgroup = mode;
    make(recipe, std::move(what));
    ASSERT_TRUE(box_);
    bait_.emplace("berth-bait-" + box_->record().token);
    ASSERT_NE(host_shell(bait_->make()), "");
  }
  void TearDown() override {
    if (bait_) {
      EXPECT_EQ(host_shell(bait_->remove()), "");
    }
    docker_test::TearDown();
  }
  // Tries from inside, and tells what the host then sees.
  string try_freezing() {
    (void)shell(*box_, "echo " + bait_->freeze() + " > " + bait_->file());
    return host_shell("for i in 1 2 3 4 5; do grep -q FREEZING " + bait_->file() + " || break; sleep 0.1; done; cat " +
                      bait_->file());
  }
  string make_inside(const string& parent) {
    const string name = parent + "/berth-made-" + box_->record().token;
    (void)shell(*box_, "mkdir " + name);
    return host_shell("ls -d " + name + " 2>/dev/null; rmdir " + name + " 2>/dev/null; true");
  }
  // Also where it would be started again after other failures.
  void fails_at_once() {
    options_.restart.what = restart_policy::kind::on_failure;
    const auto started = start();
    ASSERT_FALSE(started);
    const daemon_failure why = *daemon_->status().failure;
    EXPECT_EQ(why.hint_id, "BERTH-CGROUP-DEVICES");
    EXPECT_NE(why.hint.find("cgroup mode `sandbox`"), string::npos) << why.hint;
    EXPECT_EQ(why.restarts, 0u);
    EXPECT_EQ(why.phase, "prepare");
  }
  std::optional<frozen_bait> bait_;
};

TEST_F(DockerCgroups, InTheDefaultModeNothingInsideSeesOrChangesTheHosts) {
  make_mode(cgroup_mode::sandbox);
  if (HasFatalFailure()) return;
  EXPECT_TRUE(find_log("added cgroup mount for docker-in-docker"));
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(try_freezing(), bait_->thaw()) << "a host process must not be frozen from inside";
  // Under every name that it could have inside.
  EXPECT_EQ(shell(*box_, "find /sys/fs/cgroup -name 'berth-bait-*' | head -1"), "");
  EXPECT_EQ(shell(*box_, "find /sys/fs/cgroup -name 'freezer*' | head -1"), "") << "gVisor has no freezer";
  for (const char* parent :
       {"/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/devices", "/sys/fs/cgroup/pids"})
    EXPECT_EQ(make_inside(parent), "") << parent;
  // Processes of the host are not to be found there either.
  const string pid = host_shell("cat " + bait_->directory() + "/cgroup.procs");
  EXPECT_EQ(shell(*box_, "mkdir /sys/fs/cgroup/memory/x && echo " + pid +
                             " > /sys/fs/cgroup/memory/x/cgroup.procs 2>/dev/null; "
                             "grep -cx " +
                             pid + " /sys/fs/cgroup/memory/x/cgroup.procs || true"),
            "0");
  EXPECT_EQ(host_shell("cat " + bait_->directory() + "/cgroup.procs"), pid);
}

TEST_F(DockerCgroups, AreOneHierarchyWhichHoldsAContainerToItsNumberOfProcesses) {
  make_mode(cgroup_mode::sandbox);
  if (HasFatalFailure()) return;
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  const string hierarchies = "grep -v '^#' /proc/cgroups | tr '\\t' ' ' | cut -d' ' -f2 | sort -u";
  EXPECT_EQ(shell(*box_, hierarchies), "1");
  const auto how_many = [this](const string& limit) {
    return docker({"run", "--rm", "--pids-limit", limit, image(), "sh", "-c",
                   "sh -c 'n=0; while [ $n -lt 60 ]; do sleep 600 & n=$((n+1)); echo $n >/made; done' 2>/dev/null; "
                   "read made </made; echo $made"});
  };
  EXPECT_EQ(how_many("20"), "18") << "beside two shells";
  EXPECT_EQ(how_many("-1"), "60");
  // A dockerd that is started again finds them so.
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  const auto again = start();
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(shell(*box_, hierarchies), "1");
  EXPECT_EQ(how_many("20"), "18");
}

TEST_F(DockerCgroups, TellWhatAContainerTakesWhereDockerStatsHasZeros) {
  up();
  load_image();
  const string work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; touch /done; exec sleep 1000";
  const string id = docker({"run", "-d", "--name", "busy", "-m", "64m", image(), "sh", "-c", work});
  docker({"run", "-d", "--name", "free", image(), "sleep", "1000"});
  docker({"exec", "busy", "sh", "-c", "until [ -e /done ]; do sleep 0.1; done"});
  docker_sandbox box(where_, box_);
  const auto asked = loop_.run(box.container_stats(deadline_after(seconds(30))));
  ASSERT_TRUE(asked) << asked.error().to_string();
  const std::vector<container_stats>& told = *asked;
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].name, "free");  // the newest first, as `docker ps` has them
  EXPECT_EQ(told[0].memory_limit_bytes, std::nullopt);
  EXPECT_GE(told[0].processes.value_or(0), 1u);
  EXPECT_EQ(told[1].container, id);
  EXPECT_EQ(told[1].name, "busy");
  EXPECT_GT(told[1].cpu_ns.value_or(0), 10'000'000u);
  EXPECT_EQ(told[1].memory_limit_bytes, 64u << 20);
  EXPECT_GT(told[1].memory_bytes.value_or(0), 0u);
  EXPECT_LT(told[1].memory_bytes.value_or(0), 64u << 20);
  EXPECT_GE(told[1].processes.value_or(0), 1u);
  docker({"kill", "busy", "free"});
  const auto none = loop_.run(box.container_stats(deadline_after(seconds(30))));
  ASSERT_TRUE(none) << none.error().to_string();
  EXPECT_TRUE(none->empty());
}

TEST_F(DockerCgroups, OfACallersOwnChoiceAreLeftAsTheyAre) {
  sandbox_config what = config();
  what.runsc_args.push_back("--in-sandbox-cgroup=v1");
  make_mode(cgroup_mode::sandbox, std::move(what));
  if (HasFatalFailure()) return;
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  EXPECT_NE(shell(*box_, "grep -v '^#' /proc/cgroups | tr '\\t' ' ' | cut -d' ' -f2 | sort -u"), "1");
  EXPECT_EQ(docker({"run", "--rm", "--pids-limit", "20", image(), "echo", "it", "runs"}), "it runs");
  const bool told = std::any_of(daemon_lines_.begin(), daemon_lines_.end(),
                                [](const string& line) { return line.find("--pids-limit") != string::npos; });
  EXPECT_TRUE(told) << "berth says that it does not hold";
}

TEST_F(DockerCgroups, TheHostBindOpensTheHostsCgroupsAndDockerdDoesNotStartWithIt) {
  make_mode(cgroup_mode::host_bind);
  if (HasFatalFailure()) return;
  EXPECT_TRUE(find_log("added cgroup bind mount for docker-in-docker"));
  bool warned = false;
  for (const log_event& event : events_) warned = warned || event.level == log_level::warn;
  EXPECT_TRUE(warned) << "it warns each time:\n" << logged();
  // What makes it unsafe. If gVisor ever closes this, the mode's description has to change.
  const string frozen = try_freezing();
  EXPECT_EQ(frozen, bait_->freeze());
  fails_at_once();
}

TEST_F(DockerCgroups, WithoutAMountDockerdSaysWhatItMisses) {
  make_mode(cgroup_mode::none);
  if (HasFatalFailure()) return;
  EXPECT_EQ(try_freezing(), bait_->thaw());
  fails_at_once();
}

}  // namespace
