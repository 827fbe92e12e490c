// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/exit_reason.hpp>
#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/record.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

using namespace berth;

sandbox_record example() {
  sandbox_record r;
  r.id = "web-1";
  r.directory = "/var/lib/berth/web-1";
  r.token = "abcdefghijklm";
  r.phase = record_phase::running;
  r.boot_id = "0e6b2f3c-0000-4000-8000-000000000000";
  r.created_ms = 1795500000123;
  r.creator = {4711, 18446744073709551615u};
  r.ends_with_creator = true;
  r.watched = true;
  r.owner = {4713, 2};
  r.ends_at_ms = 1234567890123;
  r.idle_timeout_ms = 600'000;
  r.hibernates = true;
  r.sandbox_process = {4712, 1};
  r.rootfs = "/srv/\"rootfs\"\n\xc3\xa9";
  r.hostname = "web";
  r.network = network_mode::path;
  r.network_path = "/run/netns/x";
  r.net = record_network{*parse_ipv4_subnet("10.211.0.4/30"),
                         1450,
                         77,
                         *parse_egress({"10.0.0.0/8", "*.example.com:443", "dns"}),
                         *parse_published_ports({"8080:80", "0.0.0.0:53:53/udp"}),
                         {"192.0.2.53"},
                         *parse_host_ports({"5000", "192.0.2.7:443"})};
  r.cpus = 1.5;
  r.memory_bytes = 2147483648;
  r.shared_directory = false;
  r.runsc = "/usr/local/bin/runsc";
  r.annotations = {{"b", "2"}, {"a", ""}, {"b", "3"}};
  r.disk = record_disk{"/srv/disk.ext4", 1ull << 40};
  return r;
}

TEST(Record, ComesBackAsItWasWritten) {
  const sandbox_record r = example();
  auto read = parse_record(format_record(r));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(format_record(*read), format_record(r));
  EXPECT_EQ(read->id, r.id);
  EXPECT_EQ(read->token, r.token);
  EXPECT_EQ(read->phase, r.phase);
  EXPECT_EQ(read->boot_id, r.boot_id);
  EXPECT_EQ(read->created_ms, r.created_ms);
  EXPECT_EQ(read->creator, r.creator);
  EXPECT_TRUE(read->ends_with_creator);
  EXPECT_TRUE(read->watched);
  EXPECT_EQ(read->owner, r.owner);
  EXPECT_EQ(read->ends_at_ms, r.ends_at_ms);
  EXPECT_EQ(read->idle_timeout_ms, 600'000);
  EXPECT_TRUE(read->hibernates);
  EXPECT_EQ(read->sandbox_process, r.sandbox_process);
  EXPECT_EQ(read->rootfs, r.rootfs);
  EXPECT_EQ(read->network, r.network);
  EXPECT_EQ(read->network_path, r.network_path);
  ASSERT_TRUE(read->net);
  EXPECT_EQ(read->net->address(), "10.211.0.6");
  EXPECT_EQ(read->net->gateway(), "10.211.0.5");
  EXPECT_EQ(read->net->host_ports, r.net->host_ports);
  EXPECT_EQ(read->net->mtu, 1450);
  EXPECT_EQ(read->net->max_connections, 77u);
  EXPECT_EQ(read->net->egress, r.net->egress);
  EXPECT_EQ(read->net->ports, r.net->ports);
  EXPECT_EQ(read->net->nameservers, r.net->nameservers);
  EXPECT_EQ(read->cpus, 1.5);
  EXPECT_EQ(read->memory_bytes, 2147483648u);
  EXPECT_FALSE(read->shared_directory);
  EXPECT_EQ(read->annotations, r.annotations);
  ASSERT_TRUE(read->disk);
  EXPECT_EQ(read->disk->bytes, 1ull << 40);
  EXPECT_EQ(read->disk_file(), "/srv/disk.ext4");
  read->disk->file.clear();
  EXPECT_EQ(read->disk_file(), read->directory + "/disk.ext4");
  read->disk.reset();
  EXPECT_EQ(read->disk_file(), "");
  EXPECT_EQ(read->directory, "");
}

TEST(Record, EveryPhaseAndModeHasAName) {
  for (const auto phase : {record_phase::creating, record_phase::running, record_phase::removing}) {
    sandbox_record r = example();
    r.phase = phase;
    auto read = parse_record(format_record(r));
    ASSERT_TRUE(read) << record_phase_name(phase);
    EXPECT_EQ(read->phase, phase);
  }
  for (const auto mode : {network_mode::sandbox, network_mode::none, network_mode::path}) {
    sandbox_record r = example();
    r.network = mode;
    r.net.reset();
    auto read = parse_record(format_record(r));
    ASSERT_TRUE(read) << network_mode_name(mode);
    EXPECT_EQ(read->network, mode);
    EXPECT_FALSE(read->net);
  }
}

TEST(Record, WhatIsUnknownIsPassedOver) {
  std::string text = format_record(example());
  text.insert(text.find('{') + 1, "\"later\": {\"x\": [1, null]},");
  EXPECT_TRUE(parse_record(text));
}

// Of a berth that had a watch for each sandbox.
TEST(Record, OneThatSaysNothingOfAWatchHasNone) {
  std::string text = format_record(example());
  for (const char* key : {"\"watched\"", "\"ends_at_ms\"", "\"idle_timeout_ms\"", "\"hibernates\""}) {
    const std::size_t at = text.find(key);
    ASSERT_NE(at, std::string::npos);
    text.erase(at, text.find(',', at) + 1 - at);
  }
  const std::size_t owner = text.find("\"owner\"");
  ASSERT_NE(owner, std::string::npos);
  text.erase(owner, text.find("},", owner) + 2 - owner);
  auto read = parse_record(text);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_FALSE(read->watched);
  EXPECT_FALSE(read->owner);
  EXPECT_EQ(read->ends_at_ms, 0);
  EXPECT_EQ(read->idle_timeout_ms, 0);
  EXPECT_FALSE(read->hibernates);
}

// It says so before its process is ended: as long as that is there it runs.
TEST(Record, OneIsHibernatedOnceItsProcessIsGone) {
  sandbox_record r = example();
  r.boot_id = read_boot_id();
  r.phase = record_phase::hibernated;
  r.sandbox_process = process_identity::of(::getpid());
  ASSERT_EQ(parse_record(format_record(r)).value().phase, record_phase::hibernated);
  EXPECT_TRUE(r.is_up());
  EXPECT_FALSE(r.is_hibernated());
  r.sandbox_process.start_time += 1;
  EXPECT_FALSE(r.is_up());
  EXPECT_TRUE(r.is_hibernated());
  EXPECT_TRUE(r.lives());
  EXPECT_FALSE(r.process_alive());
  EXPECT_EQ(find_exit_reason(r), exit_reason::none);
  r.boot_id = "another";
  EXPECT_FALSE(r.is_hibernated());
  EXPECT_FALSE(r.lives());
  r.boot_id = read_boot_id();
  r.phase = record_phase::running;
  EXPECT_FALSE(r.lives());
}

// Of a berth whose sandboxes had no guest to speak with: its commands go by runsc exec.
TEST(Record, OneWithoutAGuestIsOfAnEarlierBerth) {
  sandbox_record r = example();
  r.guest = 7;
  std::string text = format_record(r);
  ASSERT_EQ(parse_record(text).value().guest, 7u);
  const std::size_t at = text.find("\"guest\"");
  ASSERT_NE(at, std::string::npos);
  text.erase(at, text.find(',', at) + 1 - at);
  auto read = parse_record(text);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->guest, 0u);
}

TEST(Record, DamageIsSaid) {
  const std::string good = format_record(example());
  const auto damaged = [](const std::string& text) {
    auto read = parse_record(text);
    return !read && read.error().code == errc::record_damaged ? read.error().message : std::string("taken: " + text);
  };
  // Cut off anywhere.
  for (std::size_t n = 0; n + 2 < good.size(); n += 7)
    EXPECT_EQ(damaged(good.substr(0, n)).find("taken"), std::string::npos) << n;
  EXPECT_EQ(damaged("").find("taken"), std::string::npos);
  EXPECT_EQ(damaged("[]").find("taken"), std::string::npos);
  EXPECT_EQ(damaged("null").find("taken"), std::string::npos);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_NE(damaged(with("\"token\": \"abcdefghijklm\"", "\"token\": \"short\"")).find("token"), std::string::npos);
  // It becomes part of paths.
  EXPECT_NE(damaged(with("\"token\": \"abcdefghijklm\"", "\"token\": \"abcde/../../x\"")).find("token"),
            std::string::npos);
  EXPECT_NE(damaged(with("\"phase\": \"running\"", "\"phase\": \"dancing\"")).find("phase"), std::string::npos);
  EXPECT_NE(damaged(with("\"version\": 1", "\"version\": 2")).find("later berth"), std::string::npos);
  EXPECT_NE(damaged(with("\"version\": 1", "\"version\": \"1\"")).find("version"), std::string::npos);
  EXPECT_NE(damaged(with("4711", "99999999999")).find("pid"), std::string::npos);
  EXPECT_NE(damaged(with("10.211.0.4/30", "10.211.0.5/30")).find("subnet"), std::string::npos);
  EXPECT_NE(damaged(with("\"ends_with_creator\": true", "\"ends_with_creator\": 1")).find("ends_with"),
            std::string::npos);
}

class RecordOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/berth-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
    record_ = example();
    record_.directory = root_ + "/web-1";
    ASSERT_EQ(::mkdir(record_.directory.c_str(), 0700), 0);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
  sandbox_record record_;
};

TEST_F(RecordOnDisk, IsReplacedWhole) {
  ASSERT_TRUE(write_record(record_));
  record_.phase = record_phase::removing;
  ASSERT_TRUE(write_record(record_));
  auto read = read_record(record_.directory);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->phase, record_phase::removing);
  EXPECT_EQ(read->directory, record_.directory);
  struct stat info {};
  ASSERT_EQ(::stat((record_.directory + "/record.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(record_.directory)) ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(RecordOnDisk, OneThatCouldNotBeReadIsNotWritten) {
  ASSERT_TRUE(write_record(record_));
  sandbox_record bad = record_;
  bad.annotations = {{"k", std::string(1u << 20, 'v')}};
  auto written = write_record(bad);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::too_big);
  bad.annotations = {{"k", std::string("a\0b", 3)}};
  written = write_record(bad);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::invalid);
  auto read = read_record(record_.directory);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->annotations, record_.annotations);
  // The most that a sandbox can have.
  record_.annotations = {{"k", std::string((128u << 10) - 1, '\x01')}};
  ASSERT_TRUE(write_record(record_));
  EXPECT_TRUE(read_record(record_.directory));
}

TEST_F(RecordOnDisk, FailuresHaveTheirCodes) {
  auto none = read_record(record_.directory);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
  // Another's record, copied over.
  ASSERT_TRUE(write_record(record_));
  std::filesystem::rename(record_.directory, root_ + "/other");
  auto other = read_record(root_ + "/other");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, errc::record_damaged);
  // A symlink is not followed.
  std::filesystem::create_directory(root_ + "/web-1");
  std::filesystem::create_symlink(root_ + "/other/record.json", root_ + "/web-1/record.json");
  auto link = read_record(root_ + "/web-1");
  EXPECT_FALSE(link);
  // Too long.
  { std::ofstream(root_ + "/other/record.json") << std::string(2 << 20, ' '); }
  auto large = read_record(root_ + "/other");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, errc::record_damaged);
}

TEST_F(RecordOnDisk, ThatIsNoRegularFileIsDamaged) {
  const std::string path = root_ + "/box";
  std::filesystem::create_directory(path);
  const std::string record = path + "/record.json";
  for (const char* make : {"mkfifo ", "mkdir ", "ln -s /etc/passwd ", "ln -s /nowhere "}) {
    ASSERT_EQ(std::system((make + record).c_str()), 0);
    auto read = read_record(path);
    ASSERT_FALSE(read) << make;
    EXPECT_EQ(read.error().code, errc::record_damaged) << make;
    EXPECT_EQ(read.error().path, record);
    std::filesystem::remove(record);
  }
}

TEST(Record, ItsProcessIsOfItsBoot) {
  sandbox_record r = example();
  r.sandbox_process = process_identity::of(::getpid());
  EXPECT_FALSE(r.process_alive());
  r.boot_id = read_boot_id();
  EXPECT_TRUE(r.process_alive());
}

TEST(ProcessIdentity, TellsLifeFromDeath) {
  const process_identity self = process_identity::of(::getpid());
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_TRUE(self.alive());
  EXPECT_FALSE((process_identity{self.pid, self.start_time + 1}).alive());
  EXPECT_FALSE(process_identity{}.alive());
  EXPECT_FALSE(static_cast<bool>(process_identity::of(0)));
  EXPECT_FALSE(static_cast<bool>(process_identity::of(-1)));

  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const process_identity other = process_identity::of(child);
  EXPECT_TRUE(other.alive());
  EXPECT_FALSE(is_stopped(other));
  ::kill(child, SIGSTOP);
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &stopped, WSTOPPED | WNOWAIT), 0);
  EXPECT_TRUE(is_stopped(other));
  EXPECT_TRUE(other.alive());
  EXPECT_FALSE(is_stopped({other.pid, other.start_time + 1}));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(other.alive());  // a zombie
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(other.alive());
}

}  // namespace
