// SPDX-License-Identifier: Apache-2.0
// What a sandbox leaves on the host is out of reach for the host's other users.
#include "support/docker_fixture.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace {

using namespace berth;
namespace fs = std::filesystem;
using std::string;

class OtherUsers : public berth_test::docker_test {
 protected:
  void SetUp() override {
    berth_test::docker_test::SetUp();
    char name[] = "/tmp/berth-users-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    open_ = name;
    ASSERT_EQ(::chmod(name, 0755), 0);
  }
  void TearDown() override {
    berth_test::docker_test::TearDown();
    fs::remove_all(open_);
  }
  string directory(const string& below, mode_t mode) {
    const string path = open_ + "/" + below;
    fs::create_directories(path);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  // As somebody else on the host. By a shell: setpriv itself still has root's capabilities when it looks for a program.
  static string somebody(const string& script) {
    return host_shell("setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '" + script + "' 2>&1");
  }
  // What they make of the shell of root's that lies below `top`: "0" where it makes them root.
  static string try_shell(const string& top) {
    const string found = host_shell("find " + top + " -name rootsh");
    EXPECT_NE(found, "") << "nothing to look at";
    return somebody(found + " -p -c \"id -u\" | cat");
  }
  static docker_recipe on(const string& data_root) {
    docker_recipe recipe;
    recipe.data_root = docker_data_root{docker_data_root::kind::directory, 0, data_root};
    return recipe;
  }
  void leave_a_shell(const string& in) {
    EXPECT_EQ(shell(*box_, "cp /bin/dash " + in + "/rootsh && chmod 4755 " + in + "/rootsh && chmod 755 " + in +
                               "; "
                               "stat -c %a " +
                               in + "/rootsh"),
              "4755");
  }
  string warnings() const {
    string out;
    for (const log_event& event : events_)
      if (event.level == log_level::warn) out += format_console(event) + "\n";
    return out;
  }
  string open_;
};

TEST_F(OtherUsers, DoNotGetIntoADataRoot) {
  const string images = directory("images", 0755);  // as open as what is above it
  make(on(images), network_mode::none);
  ASSERT_TRUE(box_);
  leave_a_shell("/var/lib/docker");
  EXPECT_NE(try_shell(images).find("Permission denied"), string::npos);
  down();
  EXPECT_NE(try_shell(images).find("Permission denied"), string::npos);
}

TEST_F(OtherUsers, AreShutOutOfADataRootOfBeforeAndItsImagesStay) {
  const string images = directory("images", 0700);
  // Bound as it is, as releases before did.
  sandbox_config what = config(network_mode::none);
  what.mounts.push_back({images, "/var/lib/docker", false});
  make(docker_recipe{}, std::move(what));
  ASSERT_TRUE(box_);
  auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  docker({"run", "--name", "left", image(), "sh", "-c", "echo kept > /kept"});
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  leave_a_shell("/var/lib/docker");
  down();
  ASSERT_EQ(try_shell(images), "0") << "the premise: the shell of root works";

  make(on(images), network_mode::none);
  ASSERT_TRUE(box_);
  EXPECT_NE(try_shell(images).find("Permission denied"), string::npos);
  started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "overlay2");
  EXPECT_EQ(docker({"commit", "left", "with-kept"}).substr(0, 7), "sha256:");
  EXPECT_EQ(docker({"run", "--rm", "with-kept", "cat", "/kept"}), "kept");
  ASSERT_TRUE(loop_.run(daemon_->stop()));
}

TEST_F(OtherUsers, AVolumeThatTheyGetToIsWarnedOf) {
  const string closed = directory("closed", 0700);
  const string shut = directory("closed/volume", 0755), open = directory("volume", 0700),
               inert = directory("inert", 0755);
  ASSERT_EQ(host_shell("mount -t tmpfs -o nosuid,nodev,size=16m berth-test " + inert), "");
  const log_sink sink = [this](const log_event& event) { events_.push_back(event); };
  where_.log = sink;
  sandbox_config what = config(network_mode::none);
  what.mounts = {{shut, "/shut", false}, {open, "/read", true}, {inert, "/inert", false}};
  box_ = create(what);
  ASSERT_TRUE(box_);
  EXPECT_EQ(warnings().find("volume"), string::npos) << warnings();
  down();
  what.mounts.push_back({open, "/open", false});
  box_ = create(what);
  ASSERT_TRUE(box_);
  EXPECT_NE(warnings().find(open), string::npos) << warnings();
  EXPECT_EQ(warnings().find(shut), string::npos) << warnings();
  // It is true.
  for (const char* in : {"/open", "/shut", "/inert"}) leave_a_shell(in);
  down();  // what it has open is busy
  EXPECT_EQ(try_shell(open), "0");
  EXPECT_NE(try_shell(shut).find("Permission denied"), string::npos);
  EXPECT_EQ(try_shell(inert), "65534");
  EXPECT_EQ(host_shell("umount " + inert), "");
}

}  // namespace
