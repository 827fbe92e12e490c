// SPDX-License-Identifier: Apache-2.0
// `berth cp`: docker cp's rules, and nothing of the sandbox's outside of where it was asked for.
#include "support/command_fixture.hpp"

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

class CommandCp : public berth_test::command_test {
 protected:
  void SetUp() override {
    command_test::SetUp();
    must(run_words({"-d", "--id", "box"}));
    here_ = root_ + "-cp";
    fs::create_directories(here_ + "/src/sub");
    std::ofstream(here_ + "/src/one") << "one";
    fs::create_hard_link(here_ + "/src/one", here_ + "/src/sub/two");
    fs::create_symlink("sub/two", here_ + "/src/link");
    ::chmod((here_ + "/src/one").c_str(), 04755);
  }
  void TearDown() override {
    must({"rm", "-f", "box"});
    fs::remove_all(here_);
    command_test::TearDown();
  }
  std::string inside(const std::string& script) { return must({"exec", "box", "--", "sh", "-c", script}); }
  void cp(const std::string& from, const std::string& to) { must({"cp", from, to}); }
  static std::string slurp(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string here_;
};

TEST_F(CommandCp, GoesWhereDockerCpWould) {
  const std::string src = here_ + "/src";
  cp(src, "box:/srv/new");
  EXPECT_EQ(inside("cd /srv/new && stat -c '%n %F %a %h' one link sub/two"),
            "one regular file 4755 2\nlink symbolic link 777 1\nsub/two regular file 4755 2");
  cp(src, "box:/srv/new");
  EXPECT_EQ(inside("ls /srv/new"), "link\none\nsrc\nsub");
  cp(src + "/.", "box:/srv/content");
  EXPECT_EQ(inside("ls /srv/content"), "link\none\nsub");
  cp(src + "/one", "box:/srv/content/other");
  EXPECT_EQ(inside("cat /srv/content/other"), "one");
  fs::create_directory(here_ + "/into");
  cp("box:/srv/content/.", here_ + "/into");
  EXPECT_EQ(slurp(here_ + "/into/sub/two"), "one");
  EXPECT_EQ(fs::hard_link_count(here_ + "/into/one"), 2u);
  EXPECT_EQ(fs::status(here_ + "/into/one").permissions(), fs::perms(0755));
  cp("box:/srv/content", here_ + "/named");
  EXPECT_TRUE(fs::is_symlink(here_ + "/named/link"));
  must({"cp", "-L", "box:/srv/content/link", here_});
  EXPECT_TRUE(fs::is_regular_file(here_ + "/link"));
  const auto tar = must({"cp", "box:/srv/content/sub", "-"});
  EXPECT_TRUE(tar.starts_with("sub/"));
  const auto refused = run({"cp", "-", "box:/srv"}, "not a tar");
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("an archive that was cut short"), std::string::npos) << refused.err;
  struct bad_call {
    std::string from, to, why;
    int code;
  };
  for (const bad_call& bad : {bad_call{src, "box:/etc/hosts", "does not take the place of a file", 2},
                              {src + "/one", "box:/srv/none/", "no such directory", 1},
                              {"box:/none", here_, "(/none): No such file or directory", 1},
                              {src, here_, "one of the two", 2},
                              {"box:/a", "box:/b", "one of the two", 2},
                              {"nosuch:/a", here_, "no sandbox is called", 4}}) {
    const auto got = run({"cp", bad.from, bad.to});
    EXPECT_EQ(got.code, bad.code) << bad.from << " " << got.err;
    EXPECT_NE(got.err.find(bad.why), std::string::npos) << got.err;
  }
}

TEST_F(CommandCp, NothingOfTheSandboxsGoesElsewhere) {
  inside("mkdir -p /srv/evil && cd /srv/evil && ln -s " + here_ + "/src up && mkfifo p");
  fs::create_directory(here_ + "/out");
  fs::create_symlink(here_ + "/src", here_ + "/out/up");
  const auto fifo = run({"cp", "box:/srv/evil/.", here_ + "/out"});
  EXPECT_EQ(fifo.code, 1);
  EXPECT_NE(fifo.err.find("a device or a FIFO"), std::string::npos) << fifo.err;
  // A link of ours in the way is not gone through.
  inside("rm -r /srv/evil && mkdir -p /srv/evil/up/ && echo owned > /srv/evil/up/owned");
  (void)run({"cp", "box:/srv/evil/.", here_ + "/out"});
  EXPECT_FALSE(fs::exists(here_ + "/src/owned"));
}

TEST_F(CommandCp, ASignalInTheMiddleEndsIt) {
  inside("head -c 400m /dev/zero > /tmp/large");
  auto started = start({"cp", "box:/tmp/large", here_ + "/large"});
  ASSERT_TRUE(eventually([&] { return fs::exists(here_ + "/large"); }));
  started->signal(SIGTERM);
  EXPECT_EQ(started->finish().code, 128 + SIGTERM);
  auto in = start({"cp", here_ + "/large", "box:/srv/large"});
  ASSERT_TRUE(eventually([&] { return inside("ls -A /srv") != "" || in->ended(); }));
  in->signal(SIGTERM);
  (void)in->finish();
  EXPECT_EQ(must({"events", "box"}), "");
}

}  // namespace
