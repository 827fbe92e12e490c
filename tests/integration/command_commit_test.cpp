// SPDX-License-Identifier: Apache-2.0
// `berth commit`: what umoci unpacks is what the sandbox saw, and a failure leaves nothing.
#include "support/command_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CommandCommit : public berth_test::command_test {
 protected:
  // A small root file system: busybox's image.
  void SetUp() override {
    command_test::SetUp();
    here_ = root_ + "-commit";
    fs::create_directory(here_);
    shell("skopeo copy -q docker-archive:'" + image_ + "' oci:base:b && umoci unpack --image base:b busybox");
    rootfs_ = here_ + "/busybox/rootfs";
    ::mkdir((rootfs_ + "/old").c_str(), 0755);
    std::ofstream(rootfs_ + "/old/lower") << "lower\n";
    std::ofstream(rootfs_ + "/removed") << "removed\n";
    std::ofstream(rootfs_ + "/removed-too") << "removed\n";
    std::ofstream(rootfs_ + "/changed") << "before\n";
    must(run_words({"-d", "--id", "box"}));
  }
  void TearDown() override {
    must({"rm", "-f", "box"});
    fs::remove_all(here_);
    command_test::TearDown();
  }
  std::string inside(const std::string& script) { return must({"exec", "box", "--", "sh", "-c", script}); }
  // What it prints; in the directory of this test.
  std::string shell(const std::string& script) {
    const std::string line = "exec 2>&1; cd '" + here_ + "' && { " + script + "; }";
    std::FILE* pipe = ::popen(line.c_str(), "re");
    if (pipe == nullptr) return "popen failed";
    std::string out;
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    EXPECT_EQ(::pclose(pipe), 0) << script << "\n" << out;
    return out;
  }
  std::set<std::string> names(const std::string& directory) {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) out.insert(entry.path().string());
    return out;
  }

  std::string here_;
};

constexpr const char* changes = R"(
  rm -rf /old && mkdir -m 750 /old && echo upper > /old/upper
  rm /removed /removed-too && echo after > /changed
  mkdir -p /new/deep && ln -s ../changed /new/link && ln /changed /new/hard
  printf secret > /new/tool && chown 7:8 /new/tool && chmod 4710 /new/tool
  mkfifo /new/fifo && mknod /new/null c 1 3
  n=$(printf %0120d 7) && mkdir /new/$n && echo long > /new/$n/$n)";

constexpr const char* list =
    "cd / && find changed old new ! -type d -exec ls -ln {} + | awk '{print $1, $2, $3, $4, $NF}' | sort";

TEST_F(CommandCommit, TheImageIsWhatTheSandboxSaw) {
  inside(changes);
  const std::string image = here_ + "/images:v1.0";
  const berth_test::parsed_json made(
      must({"commit", "box", image, "--json", "-e", "A=1,2", "-e", "B=x y", "-w", "/new", "--entrypoint",
            R"(["/bin/sh", "-c"])", "--cmd", R"(["echo a,b", "-x"])", "-a", "Me <me@example>", "-m", "for a test"}));
  EXPECT_EQ(made.at({"image"}), image);
  EXPECT_EQ(must({"exec", "box", "--", "cat", "/changed"}), "after");  // it goes on
  EXPECT_EQ(shell("skopeo inspect --format '{{.Digest}}' oci:images:v1.0"), made.at({"digest"}) + "\n");
  EXPECT_EQ(shell("cat images/blobs/sha256/* | wc -c"), made.at({"size"}) + "\n");
  struct stat info {};
  ASSERT_EQ(::stat((here_ + "/images").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);

  shell("umoci unpack --image images:v1.0 out");
  const std::string out = here_ + "/out/rootfs";
  EXPECT_FALSE(fs::exists(out + "/removed"));
  EXPECT_FALSE(fs::exists(out + "/removed-too"));
  EXPECT_FALSE(fs::exists(out + "/old/lower"));
  EXPECT_EQ(content(out + "/old/upper"), "upper\n");
  EXPECT_EQ(content(out + "/changed"), "after\n");
  EXPECT_EQ(fs::status(out + "/old").permissions(), fs::perms(0750));
  ASSERT_EQ(::stat((out + "/new/tool").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 04710u);
  EXPECT_EQ(info.st_uid, 7u);
  EXPECT_EQ(info.st_gid, 8u);
  EXPECT_EQ(shell("find out/rootfs -name '.wh.*'"), "");
  // Owners, modes, links and kinds, by the same program inside of both.
  must({"run", "--rootfs", out, "--network", "none", "-d", "--id", "other"});
  EXPECT_EQ(must({"exec", "other", "--", "sh", "-c", list}), inside(list));
  must({"rm", "-f", "other"});

  const berth_test::parsed_json config(shell("skopeo inspect --config oci:images:v1.0"));
  EXPECT_EQ(config.at({"author"}), "Me <me@example>");
  EXPECT_EQ(config.at({"config", "Env"}), R"(["A=1,2","B=x y"])");
  EXPECT_EQ(config.at({"config", "WorkingDir"}), "/new");
  EXPECT_EQ(config.at({"config", "Entrypoint"}), R"(["/bin/sh","-c"])");
  EXPECT_EQ(config.at({"config", "Cmd"}), R"(["echo a,b","-x"])");
  EXPECT_EQ(config.at({"history", "1", "comment"}), "for a test");
  EXPECT_EQ(config.at({"history", "2", "comment"}), "(absent)");

  // Another tag beside it, a tag anew, and an empty directory.
  EXPECT_EQ(must({"commit", "box", here_ + "/images:v2", "--cmd", "echo $A"}).substr(0, 7), "sha256:");
  const berth_test::parsed_json second(shell("skopeo inspect --config oci:images:v2"));
  EXPECT_EQ(second.at({"config", "Cmd"}), R"(["/bin/sh","-c","echo $A"])");
  EXPECT_EQ(second.at({"config", "Entrypoint"}), "(absent)");
  must({"commit", "box", image});
  EXPECT_EQ(shell("umoci ls --layout images | sort"), "v1.0\nv2\n");
  const std::string index = content(here_ + "/images/index.json");
  EXPECT_EQ(index.find("v1.0"), index.rfind("v1.0"));
  fs::create_directory(here_ + "/empty");
  ::chmod((here_ + "/empty").c_str(), 0750);
  must({"commit", "box", here_ + "/empty:v1"});
  shell("skopeo copy -q oci:empty:v1 oci:copied:v1 && skopeo copy -q oci:images:v2 oci:copied:v2");
  EXPECT_EQ(fs::status(here_ + "/empty").permissions(), fs::perms(0750));
  EXPECT_EQ(shell("find . -name '.berth-*'"), "");
}

TEST_F(CommandCommit, AFailureLeavesNothing) {
  must({"commit", "box", here_ + "/images:v1"});
  std::ofstream(here_ + "/file") << "of the host\n";
  fs::create_directory(here_ + "/other");
  std::ofstream(here_ + "/other/file") << "of the host\n";
  fs::create_symlink(here_ + "/none", here_ + "/link");
  const auto before = names(here_);
  const std::string index = content(here_ + "/images/index.json");
  struct bad_call {
    std::string id, image, why;
    int code;
  };
  for (const bad_call& bad : {bad_call{"box", "/images:-", "an image's tag is", 2},
                              {"box", "/images", "LAYOUT:TAG", 2},
                              {"box", "/file:v1", "Not a directory", 1},
                              {"box", "/other:v1", "neither an OCI image layout nor empty", 1},
                              {"box", "/none/images:v1", "No such file or directory", 1},
                              {"box", "/link:v1", "cannot open the image layout", 1},
                              {"nosuch", "/images:v1", "no sandbox is called", 4}}) {
    const auto got = run({"commit", bad.id, here_ + bad.image});
    EXPECT_EQ(got.code, bad.code) << bad.image << " " << got.err;
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find(bad.why), std::string::npos) << got.err;
  }

  // Programs that are missing, fail, or leave before they have read all: by the PATH of the command.
  const std::string command = berth_, tools = root_ + "-tools";
  fs::create_directory(tools);
  berth_ = tools + "/berth";
  std::ofstream(berth_) << "#!/bin/sh\nPATH='" << tools << "' exec '" << command << "' \"$@\"\n";
  fs::permissions(berth_, fs::perms::owner_all);
  const auto missing = run({"commit", "box", here_ + "/new:v1"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("install the package umoci"), std::string::npos) << missing.err;
  for (const char* verb : {"init", "raw", "config", "gc"}) {
    fs::remove(tools + "/umoci");
    std::ofstream(tools + "/umoci") << "#!/bin/sh\ncase $1 in " << verb
                                    << ") echo no luck >&2; exit 3;; esac\nexec /usr/bin/umoci \"$@\"\n";
    fs::permissions(tools + "/umoci", fs::perms::owner_all);
    for (const char* layout : {"/new:v1", "/images:v2"}) {
      const auto failed = run({"commit", "box", here_ + layout});
      EXPECT_EQ(failed.code, 1) << verb;
      EXPECT_NE(failed.err.find("no luck"), std::string::npos) << verb << failed.err;
    }
  }

  // Signals while a layer is packed.
  fs::remove(tools + "/umoci");
  std::ofstream(tools + "/umoci") << "#!/bin/sh\ncase $1 in raw) echo $$ > " << tools
                                  << "/pid; exec sleep 1000;; esac\nexec /usr/bin/umoci \"$@\"\n";
  fs::permissions(tools + "/umoci", fs::perms::owner_all);
  for (const int signo : {SIGINT, SIGTERM}) {
    for (const char* layout : {"/new:v1", "/images:v2"}) {
      const auto started = start({"commit", "box", here_ + layout});
      EXPECT_TRUE(eventually([&] { return !content(tools + "/pid").empty(); }));
      EXPECT_NE(names(here_), before);
      started->signal(signo);
      EXPECT_EQ(started->finish().code, 128 + signo);
      EXPECT_TRUE(eventually([&] { return ::kill(std::stoi(content(tools + "/pid")), 0) != 0; }));
      EXPECT_EQ(names(here_), before);
      fs::remove(tools + "/pid");
    }
  }
  berth_ = command;
  fs::remove_all(tools);

  inside("touch /.wh.hidden");
  for (const char* layout : {"/new:v1", "/images:v2"}) {
    const auto hidden = run({"commit", "box", here_ + layout});
    EXPECT_EQ(hidden.code, 1);
    EXPECT_NE(hidden.err.find("begins with .wh."), std::string::npos) << hidden.err;
  }
  EXPECT_EQ(names(here_), before);
  EXPECT_EQ(content(here_ + "/images/index.json"), index);
  inside("rm /.wh.hidden");
}

}  // namespace
