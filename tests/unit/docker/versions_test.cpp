// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/versions.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth {
namespace {

using v = program_version;

TEST(ParseProgramVersion, ReadsWhatDistributionsWrite) {
  EXPECT_EQ(parse_program_version("20.10.24+dfsg1-1+deb12u1+b6"), (v{20, 10, 24}));
  EXPECT_EQ(parse_program_version("5:28.5.2-1~debian.13~trixie"), (v{28, 5, 2}));
  EXPECT_EQ(parse_program_version("v2.1.9"), (v{2, 1, 9}));
  EXPECT_EQ(parse_program_version("27.3.1-r0"), (v{27, 3, 1}));
  EXPECT_EQ(parse_program_version("1.3"), (v{1, 3, 0}));
  EXPECT_EQ(parse_program_version("29"), (v{29, 0, 0}));
}

TEST(ParseProgramVersion, GivesUnknownForWhatIsNone) {
  for (const char* text : {"", "dev", "v", ":", "-1.2", "99999999999.1.2"})
    EXPECT_FALSE(parse_program_version(text).known()) << text;
}

TEST(ProgramVersion, Compares) {
  EXPECT_TRUE((v{28, 0, 0}).at_least(28));
  EXPECT_TRUE((v{28, 5, 2}).at_least(28, 5, 2));
  EXPECT_FALSE((v{27, 99, 99}).at_least(28));
  EXPECT_FALSE(v{}.known());
}

constexpr const char* dpkg = R"(Package: bash
Status: install ok installed
Version: 5.2

Package: docker.io
Status: install ok installed
Architecture: amd64
Version: 20.10.24+dfsg1-1+deb12u1+b6
Description: Linux container runtime
 Version: 1.2.3

Package: docker-ce
Status: deinstall ok config-files
Version: 5:29.0.0-1

Package: containerd
Status: install ok installed
Version: 1.6.20~ds1-1+deb12u3

Package: runc
Status: install ok installed
Version: 1.1.5+ds1-1+deb12u1
)";

TEST(ParseDpkgStatus, FindsInstalledPackagesOnly) {
  const docker_versions found = parse_dpkg_status(dpkg);
  EXPECT_EQ(found.docker, (v{20, 10, 24}));
  EXPECT_EQ(found.containerd, (v{1, 6, 20}));
  EXPECT_EQ(found.runc, (v{1, 1, 5}));
}

TEST(ParseDpkgStatus, NothingFromNothing) {
  EXPECT_FALSE(parse_dpkg_status("").docker.known());
  EXPECT_FALSE(parse_dpkg_status("Package: docker.io\nVersion: 20.1.1\n").docker.known()) << "no status: not installed";
}

TEST(ParseApkInstalled, ReadsAlpinesRecord) {
  const docker_versions found = parse_apk_installed(
      "C:Q1\nP:docker-engine\nV:27.3.1-r1\nA:x86_64\n\nP:runc\nV:1.2.2-r1\n\nP:containerd\nV:2.0.0-r2\n");
  EXPECT_EQ(found.docker, (v{27, 3, 1}));
  EXPECT_EQ(found.runc, (v{1, 2, 2}));
  EXPECT_EQ(found.containerd, (v{2, 0, 0}));
}

struct RootFs : ::testing::Test {
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "berth-versions-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  std::string root;
};

TEST_F(RootFs, ReadsTheRecordOfDpkgOrApk) {
  EXPECT_FALSE(read_docker_versions(root)->docker.known());
  put("/lib/apk/db/installed", "P:docker-engine\nV:27.3.1-r1\n\n");
  EXPECT_EQ(read_docker_versions(root)->docker, (v{27, 3, 1}));
  put("/var/lib/dpkg/status", dpkg);
  EXPECT_EQ(read_docker_versions(root)->docker, (v{20, 10, 24}));
}

TEST_F(RootFs, ALinkDoesNotLeadOut) {
  put("/outside", dpkg);
  std::filesystem::create_directories(root + "/image/var/lib/dpkg");
  std::filesystem::create_symlink(root + "/outside", root + "/image/var/lib/dpkg/status");
  EXPECT_FALSE(read_docker_versions(root + "/image")->docker.known());
  // The same link, where it resolves inside.
  put("/image" + root + "/outside", dpkg);
  EXPECT_TRUE(read_docker_versions(root + "/image")->docker.known());
}

TEST_F(RootFs, AFifoOrADirectoryInTheRecordsPlaceIsNotWaitedFor) {
  std::filesystem::create_directories(root + "/var/lib/dpkg");
  ASSERT_EQ(::mkfifo((root + "/var/lib/dpkg/status").c_str(), 0600), 0);
  std::filesystem::create_directories(root + "/lib/apk/db/installed");
  auto found = read_docker_versions(root);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_FALSE(found->docker.known());
}

TEST_F(RootFs, FindsDockerd) {
  EXPECT_FALSE(*has_dockerd(root));
  put("/usr/sbin/dockerd", "x");
  EXPECT_FALSE(*has_dockerd(root)) << "not executable";
  ASSERT_EQ(::chmod((root + "/usr/sbin/dockerd").c_str(), 0755), 0);
  EXPECT_TRUE(*has_dockerd(root));
  EXPECT_EQ(has_dockerd(root + "/none").error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
