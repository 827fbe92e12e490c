// SPDX-License-Identifier: Apache-2.0
// `berth doctor --image`: with skopeo and umoci, OCI layouts, archives and Debian's docker-registry.
#include "support/command_fixture.hpp"

#include <berth/process/spawn.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace berth_test {
namespace {

namespace fs = std::filesystem;

// A socket of 127.0.0.1 whose backlog takes connections that nobody answers.
class silent_server {
 public:
  silent_server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }
  ~silent_server() { ::close(fd_); }
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

class CommandImage : public command_test {
 protected:
  void SetUp() override {
    command_test::SetUp();
    top_ = root_ + "-image";
    tmp_ = top_ + "/tmp";
    fs::create_directories(tmp_);
    variables_ = {"TMPDIR=" + tmp_};
  }
  void TearDown() override {
    if (registry_.pid > 0) {
      ::kill(registry_.pid, SIGTERM);
      ::waitpid(registry_.pid, nullptr, 0);
      registry_ = {};
    }
    EXPECT_TRUE(fs::is_empty(tmp_)) << "left in TMPDIR: " << fs::directory_iterator(tmp_)->path();
    std::error_code ignored;
    fs::remove_all(top_, ignored);
    command_test::TearDown();
  }

  static void shell(const std::string& words) { ASSERT_EQ(std::system((words + " > /dev/null").c_str()), 0) << words; }

  // Of what `--json` says: each check's state and what was found, by its name.
  static std::map<std::string, std::string> checks(const command_output& got) {
    const auto parsed = berth::parsed_json::parse(got.out);
    std::map<std::string, std::string> out;
    if (!parsed) return out;
    const berth::json_view list = parsed->root()["checks"];
    for (std::size_t i = 0; i < list.size(); ++i)
      out[std::string(*list.at(i)["name"].text())] =
          std::string(*list.at(i)["state"].text()) + ": " + std::string(*list.at(i)["found"].text());
    return out;
  }

  // "127.0.0.1:PORT" of a registry without TLS that has the test's image as library/there:1.
  std::string serve() {
    std::string address;
    {
      const silent_server free_port;
      address = free_port.address();
    }
    const std::string config = top_ + "/registry.yml";
    std::ofstream(config) << "version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: " << top_
                          << "/data}}\nhttp: {addr: '" << address << "'}\n";
    berth::spawn_options options;
    options.argv = {"docker-registry", "serve", config};
    options.env = berth::minimal_environment();
    options.parent_death_signal = SIGKILL;
    auto started = berth::spawn(options);
    EXPECT_TRUE(started) << (started ? "" : started.error().to_string());
    if (!started) return address;
    registry_ = std::move(*started);
    const std::string push = "skopeo copy --dest-tls-verify=false docker-archive:" + image_ + " docker://" + address +
                             "/library/there:1 > /dev/null 2>&1";
    EXPECT_TRUE(eventually([&push] { return std::system(push.c_str()) == 0; })) << push;
    return address;
  }

  std::string top_, tmp_;
  berth::child registry_;
};

TEST_F(CommandImage, OneWithDockerPassesAsItsRootFileSystemDoes) {
  const std::string layout = top_ + "/layout";
  shell("umoci init --layout " + layout + " && umoci new --image " + layout + ":full && umoci insert --image " +
        layout + ":full " + rootfs_ + " /");
  const command_output got = run({"doctor", "--json", "--image", "oci:" + layout + ":full"});
  EXPECT_EQ(got.code, 0) << got.out << got.err;
  const parsed_json said(got.out);
  EXPECT_EQ(said.at({"ok"}), "true");
  EXPECT_EQ(said.at({"image", "reference"}), "oci:" + layout + ":full");
  EXPECT_TRUE(said.at({"image", "digest"}).starts_with("sha256:")) << got.out;
  auto image = checks(got), directory = checks(run({"doctor", "--json", "--rootfs", rootfs_}));
  EXPECT_EQ(image["image"], "found: oci:" + layout + ":full, " + said.at({"image", "digest"}));
  EXPECT_EQ(image.erase("image"), 1u);
  // The place where it lies is that of the check alone.
  EXPECT_EQ(directory.erase("rootfs") + directory.erase("rootfs closed to other users"), 2u);
  for (auto* one : {&image, &directory}) one->erase("state directory");  // "… free" moves
  EXPECT_EQ(image, directory);
  EXPECT_TRUE(image.contains("rootfs Docker with this runsc"));

  const command_output unknown = run({"doctor", "--image", "oci:" + layout + ":other"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_EQ(unknown.out, "");
  EXPECT_NE(unknown.err.find("berth: there is no image of this name in it"), std::string::npos) << unknown.err;
}

TEST_F(CommandImage, OneWithoutDockerIsTold) {
  const command_output got = run({"doctor", "--image", "docker-archive:" + image_});
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.err, "");
  EXPECT_NE(got.out.find("no dockerd in the root file system"), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("docker-archive:" + image_ + ", sha256:"), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("Something that is needed is missing"), std::string::npos) << got.out;
}

TEST_F(CommandImage, AMirrorIsAskedInPlaceOfDockerIo) {
  const std::string address = serve();
  const auto plain = checks(run({"doctor", "--json", "--image", address + "/library/there:1"}));
  EXPECT_TRUE(plain.empty()) << "a registry without TLS is asked only where it is named so";
  const command_output insecure = run({"doctor", "--image", address + "/library/there:1"});
  EXPECT_NE(insecure.err.find("the registry speaks no TLS"), std::string::npos) << insecure.err;

  variables_.push_back("BERTH_REGISTRY_MIRROR=http://" + address);
  const command_output got = run({"doctor", "--json", "--image", "there:1"});
  const parsed_json said(got.out);
  EXPECT_EQ(got.code, 1) << "there is no Docker in it";
  EXPECT_EQ(said.at({"image", "reference"}), "docker.io/library/there:1") << got.err;
  const std::string digest = said.at({"image", "digest"});
  EXPECT_EQ(parsed_json(run({"doctor", "--json", "--image", "there@" + digest}).out).at({"image", "reference"}),
            "docker.io/library/there@" + digest);

  for (const char* name : {"there:2", "other:1"}) {
    const command_output unknown = run({"doctor", "--json", "--image", name});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_EQ(unknown.out, "");
    const parsed_json error(unknown.err);
    EXPECT_EQ(error.at({"error", "code"}), "not_found") << unknown.err;
    EXPECT_EQ(error.at({"error", "path"}), "docker.io/library/" + std::string(name));
  }
}

TEST_F(CommandImage, WhatCannotBeReachedOrIsNotInstalledIsSaid) {
  std::string closed;
  {
    const silent_server gone;
    closed = gone.address();
  }
  variables_.push_back("BERTH_REGISTRY_MIRROR=http://" + closed);
  const command_output unreachable = run({"doctor", "--image", "there"});
  EXPECT_EQ(unreachable.code, 1);
  EXPECT_NE(unreachable.err.find("the registry cannot be reached from here: "), std::string::npos) << unreachable.err;
  EXPECT_NE(unreachable.err.find("(docker.io/library/there:latest)\n"), std::string::npos) << unreachable.err;
  variables_.push_back("PATH=" + top_);
  const command_output bare = run({"doctor", "--image", "there"});
  EXPECT_EQ(bare.code, 1);
  EXPECT_EQ(bare.err, "berth: the program is not on PATH (skopeo)\n  install skopeo: it fetches images\n");
}

TEST_F(CommandImage, ARegistryThatNeverAnswersIsLeftInTheEnd) {
  const silent_server silent;
  variables_.push_back("BERTH_REGISTRY_MIRROR=http://" + silent.address());
  variables_.push_back("BERTH_REGISTRY_TIMEOUT=1");
  const command_output got = run({"doctor", "--image", "there"});
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "");
  EXPECT_NE(got.err.find("the registry does not answer: nothing came for 1 s"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("BERTH_REGISTRY_TIMEOUT"), std::string::npos) << got.err;
  EXPECT_TRUE(fs::is_empty(tmp_));
  variables_.back() = "BERTH_REGISTRY_TIMEOUT=soon";
  const command_output wrong = run({"doctor", "--image", "there"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("not a number of seconds"), std::string::npos) << wrong.err;
}

TEST_F(CommandImage, ASignalEndsItAndLeavesNothing) {
  const silent_server silent;
  variables_.push_back("BERTH_REGISTRY_MIRROR=http://" + silent.address());
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) {
    const auto running = start({"doctor", "--image", "there"});
    ASSERT_TRUE(eventually([this] { return !fs::is_empty(tmp_); }));
    running->signal(signo);
    const command_output got = running->finish();
    EXPECT_EQ(got.code, 128 + signo) << got.err;
    EXPECT_EQ(got.out, "");
    EXPECT_TRUE(fs::is_empty(tmp_));
  }
}

}  // namespace
}  // namespace berth_test
