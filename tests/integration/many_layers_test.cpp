// SPDX-License-Identifier: Apache-2.0
// Images of as many layers as Docker takes, in overlay2, whose mounts gVisor refuses from some 70 layers on without help.
#include "support/command_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth_test {
namespace {

using std::string;
using words = std::vector<string>;

class ManyLayers : public command_test {
 protected:
  void SetUp() override {
    command_test::SetUp();
    if (HasFatalFailure()) return;
    must({"run", "-d", "--id", "box", "--rootfs", rootfs_, "--network", "none", "--docker", "--wait"});
  }
  void TearDown() override {
    run({"rm", "--force", "box"});
    command_test::TearDown();
  }
  string docker(words args, const string& input = {}) {
    args.insert(args.begin(), {"docker", "box", "--"});
    return must(args, input);
  }
  string inside(const string& script) { return must({"exec", "box", "--", "sh", "-c", script}); }
  /// An archive for docker load.
  string archive(const string& name, int layers) {
    const string path = root_ + "-layers.tar";
    const string call = "python3 " + string(BERTH_TESTS) + "/integration/add_layers.py " + image_ + " " + name + " " +
                        std::to_string(layers) + " " + path;
    EXPECT_EQ(std::system(call.c_str()), 0) << call;
    std::stringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    std::filesystem::remove(path);
    return bytes.str();
  }
  bool short_links(const string& expected) {
    return eventually([&] { return inside("ls /var/lib/docker/overlay2/l | grep -c '^..$' || :") == expected; });
  }
};

// In one sandbox: to load 125 layers takes most of the time.
TEST_F(ManyLayers, RunBuildExportOutliveDockerdAndGo) {
  docker({"load"}, archive("few", 20));
  EXPECT_EQ(docker({"run", "--rm", "few", "cat", "/layers/19"}), "19");
  EXPECT_TRUE(short_links("0")) << "the store of few layers is as Docker made it";

  // Docker's own limit.
  docker({"load"}, archive("many", 125));
  EXPECT_EQ(docker({"run", "--rm", "many", "sh", "-c", "ls /layers | wc -l; cat /layers/1 /layers/124"}), "124\n1124");
  EXPECT_EQ(
      inside("docker create --name kept many true > /dev/null && docker export kept | tar -t | grep -c '^layers/.'"),
      "124");
  docker({"rm", "kept"});
  docker({"run", "-d", "--restart", "always", "--name", "on", "many", "sleep", "1000"});
  inside("kill -9 $(pidof dockerd)");
  EXPECT_TRUE(eventually([&] {
    return run({"docker", "box", "--", "exec", "on", "cat", "/layers/124"}).out == "124";
  }));
  docker({"rm", "-f", "on"});
  docker({"load"}, archive("more", 90));
  inside("mkdir /built && printf 'FROM more\\nRUN rm /layers/7\\nRUN echo new > /layers/8\\n' > /built/Dockerfile");
  inside("docker build -q -t built /built");
  EXPECT_EQ(docker({"run", "--rm", "built", "sh", "-c", "ls /layers | wc -l; cat /layers/8"}), "88\nnew");

  // A layer's short link goes with it; those of "few" are its own.
  docker({"rmi", "built", "more", "many"});
  EXPECT_TRUE(short_links("20"));
  EXPECT_EQ(docker({"run", "--rm", "few", "cat", "/layers/19"}), "19");
  docker({"rmi", "few"});
  EXPECT_TRUE(short_links("0"));
}

}  // namespace
}  // namespace berth_test
