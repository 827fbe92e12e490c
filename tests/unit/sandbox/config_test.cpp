// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/config.hpp>
#include <berth/base/token.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/base/users.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace {

using namespace berth;

sandbox_config good() {
  sandbox_config what;
  what.rootfs = "/srv/rootfs";
  return what;
}

std::string field_refused(const std::function<void(environment&, sandbox_config&)>& change) {
  environment where;
  sandbox_config what = good();
  change(where, what);
  auto checked = check_sandbox_config(where, what);
  if (checked) return "fine";
  EXPECT_EQ(checked.error().code, errc::invalid);
  return checked.error().path;
}

TEST(SandboxConfig, IsChecked) {
  const auto refused = field_refused;
  EXPECT_EQ(refused([](auto&, auto&) {}), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.rootfs = "relative"; }), "rootfs");
  EXPECT_EQ(refused([](auto&, auto& c) { c.rootfs = ""; }), "rootfs");
  EXPECT_EQ(refused([](auto&, auto& c) { c.rootfs = std::string("/a\0b", 4); }), "rootfs");
  EXPECT_EQ(refused([](auto& e, auto&) { e.root = "berth"; }), "root");
  EXPECT_EQ(refused([](auto& e, auto&) { e.root = ""; }), "root");
  EXPECT_EQ(refused([](auto&, auto& c) { c.network = network_mode::path; }), "network");
  EXPECT_EQ(refused([](auto&, auto& c) { c.network_path = "/run/netns/x"; }), "network");
  EXPECT_EQ(refused([](auto&, auto& c) { c.network = network_mode::none, c.max_connections = 9; }), "max_connections");
  for (const network_mode mode : {network_mode::none, network_mode::path}) {
    EXPECT_EQ(refused([mode](auto&, auto& c) {
                c.network = mode, c.network_path = mode == network_mode::path ? "/run/netns/x" : "";
                c.egress = egress_policy::none();
              }),
              "egress");
  }
  EXPECT_EQ(refused([](auto&, auto& c) { c.egress = *parse_egress({"10.211.7.0/24"}); }), "egress");
  EXPECT_EQ(refused([](auto&, auto& c) { c.egress = *parse_egress({"10.0.0.0/8"}); }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.cpus = -1; }), "cpus");
  EXPECT_EQ(refused([](auto&, auto& c) { c.cpus = 0.001; }), "cpus");
  EXPECT_EQ(refused([](auto&, auto& c) { c.cpus = std::numeric_limits<double>::quiet_NaN(); }), "cpus");
  EXPECT_EQ(refused([](auto&, auto& c) { c.cpus = 0.5; }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.memory_bytes = 1 << 20; }), "memory");
  EXPECT_EQ(refused([](auto&, auto& c) { c.memory_bytes = ~std::uint64_t{0}; }), "memory");
  EXPECT_EQ(refused([](auto&, auto& c) { c.hostname = "a b"; }), "hostname");
  EXPECT_EQ(refused([](auto&, auto& c) { c.hostname = std::string(65, 'a'); }), "hostname");
  EXPECT_EQ(refused([](auto&, auto& c) { c.env = {"NOVALUE"}; }), "env");
  EXPECT_EQ(refused([](auto&, auto& c) { c.env = {"=x"}; }), "env");
  EXPECT_EQ(refused([](auto&, auto& c) { c.env = {"X="}; }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.cwd = "tmp"; }), "cwd");
  EXPECT_EQ(refused([](auto&, auto& c) { c.mounts = {{"x", "/y", false}}; }), "mounts");
  EXPECT_EQ(refused([](auto&, auto& c) { c.mounts = {{"/x", "y", false}}; }), "mounts");
  EXPECT_EQ(refused([](auto&, auto& c) { c.mounts = {{"/x", "/", false}}; }), "mounts");
  EXPECT_EQ(refused([](auto&, auto& c) { c.create_timeout = seconds(0); }), "create_timeout");
  EXPECT_EQ(refused([](auto&, auto& c) { c.idle_timeout = seconds(1); }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.idle_timeout = milliseconds(999); }), "idle_timeout");
  EXPECT_EQ(refused([](auto&, auto& c) { c.idle_timeout = std::chrono::hours(600); }), "idle_timeout");
  EXPECT_EQ(refused([](auto&, auto& c) { c.idle_timeout = seconds(9), c.shared_directory = false; }), "idle_timeout");
  EXPECT_EQ(refused([](auto&, auto& c) { c.hibernate = true; }), "hibernate");
  EXPECT_EQ(refused([](auto&, auto& c) { c.idle_timeout = seconds(9), c.hibernate = true; }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) {
              c.idle_timeout = seconds(9), c.hibernate = true;
              c.network = network_mode::path, c.network_path = "/run/netns/x";
            }),
            "hibernate");
  EXPECT_EQ(refused([](auto&, auto& c) { c.disk = sandbox_disk{"/x", least_disk, "d"}; }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.disk = sandbox_disk{"/x", 0, "d"}; }), "fine");
  EXPECT_EQ(refused([](auto&, auto& c) { c.disk = sandbox_disk{"", 0, "d"}; }), "disk");
  EXPECT_EQ(refused([](auto&, auto& c) { c.disk = sandbox_disk{"x", least_disk, "d"}; }), "disk");
  EXPECT_EQ(refused([](auto&, auto& c) { c.disk = sandbox_disk{"/x", least_disk - 1, "d"}; }), "disk");
  // What its record could not give back.
  EXPECT_EQ(refused([](auto&, auto& c) { c.rootfs = "/srv/\xff"; }), "rootfs");
  EXPECT_EQ(refused([](auto&, auto& c) { c.network = network_mode::path, c.network_path = "/\xc3"; }), "network");
  EXPECT_EQ(refused([](auto&, auto& c) { c.annotations = {{"k", std::string("a\0b", 3)}}; }), "annotations");
  EXPECT_EQ(refused([](auto&, auto& c) { c.annotations = {{"\xff", "v"}}; }), "annotations");
  EXPECT_EQ(refused([](auto&, auto& c) { c.annotations = {{"k", std::string(128u << 10, 'v')}}; }), "annotations");
  EXPECT_EQ(refused([](auto&, auto& c) { c.annotations = {{"k", std::string((128u << 10) - 1, '\x01')}}; }), "fine");
  EXPECT_EQ(refused([](auto& e, auto&) { e.network_pool = "10.0.0.0"; }), "10.0.0.0");
}

TEST(SandboxRoot, SocketsMustFit) {
  EXPECT_TRUE(check_socket_paths("/var/lib/berth", std::string(63, 'a')));
  EXPECT_FALSE(check_socket_paths("/var/lib/somewhere/deep/down/berth", std::string(63, 'a')));
  const std::string root = "/" + std::string(70, 'r');
  auto checked = check_socket_paths(root, "0123456789abcdef");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, errc::invalid);
  EXPECT_EQ(checked.error().path, "id");
  EXPECT_NE(checked.error().message.find("have 87 characters, and 77 are the most"), std::string::npos)
      << checked.error().message;
  // What the hint says fits, and no more; and so it is with the socket's address.
  const std::size_t at = checked.error().hint.find("at most ");
  ASSERT_NE(at, std::string::npos) << checked.error().hint;
  const std::size_t most = std::stoul(checked.error().hint.substr(at + 8));
  EXPECT_EQ(most, longest_id(root));
  EXPECT_TRUE(check_socket_paths(root, std::string(most, 'a')));
  EXPECT_FALSE(check_socket_paths(root, std::string(most + 1, 'a')));
  EXPECT_EQ((root + "/" + std::string(most, 'a') + "/run/runsc-0123456789abc.sock").size(), 107u);
  // One that berth makes up, and a root that leaves no room at all.
  EXPECT_TRUE(check_socket_paths("/" + std::string(64, 'r'), ""));
  checked = check_socket_paths("/" + std::string(65, 'r'), "");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().hint.find("at most"), std::string::npos) << checked.error().hint;
  EXPECT_EQ(longest_id("/" + std::string(200, 'r')), 0u);
  EXPECT_FALSE(check_socket_paths("/" + std::string(200, 'r'), "x"));
}

TEST(SandboxRoot, IsAbsoluteWithoutWhatRunscCannotTake) {
  for (const char* root : {"", "berth", "./berth", "/a,b", "/a:b", "/a*", "/a?", "/a[b]", "/a\\b"}) {
    for (auto* opens : {resolve_root, find_root, open_root}) {
      const auto got = opens(root);
      ASSERT_FALSE(got) << root;
      EXPECT_EQ(got.error().code, errc::invalid) << got.error().to_string();
      EXPECT_EQ(got.error().path, "root");
    }
  }
  EXPECT_EQ(resolve_root("/nowhere/./a/../b/").value(), "/nowhere/b");
  EXPECT_EQ(resolve_root("/").value(), "/");
}

// As list_sandboxes, collect_garbage and attach see it: not as a root with nothing in it.
TEST(SandboxRoot, ARelativeOneIsAnErrorToEveryFunction) {
  environment where;
  where.root = "berth";
  EXPECT_EQ(list_sandboxes(where).error().code, errc::invalid);
  EXPECT_EQ(sandbox::attach(where, "box").error().code, errc::invalid);
}

TEST(SandboxId, FollowsRunscsRules) {
  for (const char* fine : {"a", "A", "0", "_x", "a.b+c-d_e", "9lives"}) EXPECT_TRUE(check_sandbox_id(fine)) << fine;
  for (const char* bad : {"", ".", "..", ".a", "-a", "+a", "a/b", "a b", "a\n", "\xc3\xa9", "a:b"}) {
    EXPECT_FALSE(check_sandbox_id(bad)) << bad;
  }
  EXPECT_TRUE(check_sandbox_id(std::string(63, 'a')));
  EXPECT_FALSE(check_sandbox_id(std::string(64, 'a')));
}

TEST(Environment, IsReadFromAList) {
  const environment where = environment::from({"PATH=/bin", "BERTH_ROOT=/r", "BERTH_RUNSC=/x/runsc", "BERTH_INIT=/i",
                                               "BERTH_NETWORK_POOL=10.9.0.0/16", "BERTH_ROOTS=/no"});
  EXPECT_EQ(where.root, "/r");
  EXPECT_EQ(where.runsc, "/x/runsc");
  EXPECT_EQ(where.init, "/i");
  EXPECT_EQ(where.network_pool, "10.9.0.0/16");
  EXPECT_EQ(environment::from({"BERTH_ROOT="}).root, environment().root);
}

TEST(Init, IsFoundWhereItIsSaidToBe) {
  environment where;
  where.init = "/bin/sh";
  auto found = find_init(where);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "/bin/sh");
  for (const char* bad : {"/nonexistent", "/etc/passwd", "/", "relative"}) {
    where.init = bad;
    auto none = find_init(where);
    ASSERT_FALSE(none) << bad;
    EXPECT_EQ(none.error().code, errc::not_found);
    EXPECT_EQ(none.error().path, bad);
  }
}

TEST(Tokens, AreOfTheirOwnLength) {
  EXPECT_EQ(random_token(8).size(), 8u);
  EXPECT_NE(random_token(13), random_token(13));
  EXPECT_EQ(random_token(64).find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
}

TEST(Cgroups, MountsAreFoundInMountinfo) {
  EXPECT_EQ(
      detail::parse_cgroup_mounts("20 1 0:1 / / rw - ext4 /dev/sda rw\n"
                                  "30 20 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
                                  "31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                                  "32 20 0:28 / /odd\\040name rw - cgroup cgroup rw\n"
                                  "33 20 0:29 / /cgroup rw - tmpfs cgroup rw\nbroken\n"),
      (std::vector<std::string>{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"}));
}

constexpr std::string_view passwd =
    "root:x:0:0:root:/root:/bin/sh\n\nbroken\nweb:x:33:34:Web:/var/www:/bin/sh\nodd:x:a:b\n7:x:70:71::/:\n";
constexpr std::string_view group = "root:x:0:\nweb:x:34:\nmedia:x:90:other,web\nlogs:x:91:web\nall:x:92:root,webb\n";

std::string user(std::string_view text) {
  auto found = resolve_user(text, passwd, group);
  if (!found) return std::string(errc_name(found.error().code));
  std::string told = std::to_string(found->uid) + ":" + std::to_string(found->gid);
  for (const auto gid : found->groups) told += "," + std::to_string(gid);
  return told;
}

TEST(Users, AreResolvedAsDockerDoes) {
  EXPECT_EQ(user("web"), "33:34,90,91");
  EXPECT_EQ(user("33"), "33:34,90,91");
  EXPECT_EQ(user("web:media"), "33:90");
  EXPECT_EQ(user("33:5"), "33:5");
  EXPECT_EQ(user("1000"), "1000:0");
  EXPECT_EQ(user("1000:1000"), "1000:1000");
  EXPECT_EQ(user("1000:logs"), "1000:91");
  EXPECT_EQ(user("7"), "70:71");  // a name before a number
  EXPECT_EQ(user("root"), "0:0,92");
  EXPECT_EQ(user("nobody"), "not_found");
  EXPECT_EQ(user("web:nogroup"), "not_found");
  EXPECT_EQ(user("odd"), "not_found");
  EXPECT_EQ(user("-1"), "not_found");
  EXPECT_EQ(user("4294967295"), "not_found");  // (uid_t)-1 means "leave it"
  EXPECT_EQ(user(""), "invalid");
  EXPECT_EQ(user(":1"), "invalid");
  EXPECT_EQ(user("web:"), "invalid");
}

class OnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/berth-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

TEST_F(OnDisk, UsersAreFoundInTheRootFileSystem) {
  const std::string rootfs = root_ + "/rootfs";
  std::filesystem::create_directories(rootfs + "/etc");
  { std::ofstream(root_ + "/passwd") << "host:x:5:5:::\n"; }
  { std::ofstream(rootfs + "/etc/passwd.real") << passwd; }
  std::filesystem::create_symlink("/etc/passwd.real", rootfs + "/etc/passwd");  // as it is meant inside
  std::filesystem::create_symlink("../../passwd", rootfs + "/etc/group");
  auto found = find_user("web", rootfs);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->gid, 34u);
  auto none = find_user("host", rootfs);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
  auto number = find_user("7:8", rootfs);
  ASSERT_TRUE(number) << number.error().to_string();
  std::filesystem::remove(rootfs + "/etc/passwd");
  { std::ofstream(rootfs + "/etc/passwd") << std::string((1u << 20) + 1, 'x'); }
  auto large = find_user("web", rootfs);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, errc::too_big);
}

TEST_F(OnDisk, ARootIsJudgedByWhereItsSymlinksLead) {
  std::filesystem::create_directories(root_ + "/odd,name");
  std::filesystem::create_directories(root_ + "/plain");
  std::filesystem::create_symlink("odd,name", root_ + "/looks-plain");
  std::filesystem::create_symlink("plain", root_ + "/looks,odd");
  for (const char* below : {"", "/not-there-yet"}) {
    const auto bad = open_root(root_ + "/looks-plain" + below);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, errc::invalid);
    EXPECT_NE(bad.error().message.find("odd,name"), std::string::npos) << bad.error().message;
    const auto good = open_root(root_ + "/looks,odd" + below);
    ASSERT_TRUE(good) << good.error().to_string();
    EXPECT_EQ(*good, std::filesystem::canonical(root_).string() + "/plain" + below);
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/odd,name"));

  const std::string deep = root_ + "/" + std::string(90, 'd');
  std::filesystem::create_directories(deep);
  std::filesystem::create_symlink(deep, root_ + "/short");
  auto found = find_root(root_ + "/short");
  ASSERT_TRUE(found) << found.error().to_string();
  sandbox_record record;
  record.id = "box";
  const auto made = detail::make_state_directory(*found, record);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::invalid);
  EXPECT_TRUE(std::filesystem::is_empty(deep));
}

TEST_F(OnDisk, RootsThatOthersCanWriteToAreRefused) {
  auto made = open_root(root_ + "/a/b");
  ASSERT_TRUE(made) << made.error().to_string();
  struct stat info {};
  ASSERT_EQ(::stat(made->c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod(made->c_str(), 0777), 0);
  auto open = open_root(root_ + "/a/b");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, errc::permission);
  auto none = find_root(root_ + "/none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
}

TEST_F(OnDisk, ADirectoryIsMadeWithItsRecordAndLocked) {
  sandbox_record record;
  record.id = "one";
  record.token = "abcdefghijklm";
  auto lock = detail::make_state_directory(root_, record);
  ASSERT_TRUE(lock) << lock.error().to_string();
  EXPECT_TRUE(read_record(root_ + "/one"));
  auto second = detail::directory_lock::try_lock(root_ + "/one");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::again);
  sandbox_record same = record;
  auto taken = detail::make_state_directory(root_, same);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, errc::exists);

  auto entries = detail::list_state_directories(root_);
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->ids, (std::vector<std::string>{"one"}));
  EXPECT_TRUE(entries->unfinished.empty());

  // Removed while the lock is held; whoever comes then finds nothing.
  EXPECT_TRUE(detail::remove_state_directory(root_ + "/one"));
  auto gone = detail::directory_lock::try_lock(root_ + "/one");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, errc::not_found);
  EXPECT_TRUE(detail::remove_state_directory(root_ + "/one"));
  // The same id again, while the old lock still is.
  auto anew = detail::make_state_directory(root_, same);
  EXPECT_TRUE(anew);
}

// A root on a file system of its own has lost+found, whose name could be an id.
TEST_F(OnDisk, WhatIsNoSandboxIsNotTakenForADamagedOne) {
  std::filesystem::create_directories(root_ + "/lost+found/bundle");
  std::filesystem::create_directories(root_ + "/lost+found/run");
  std::filesystem::create_directories(root_ + "/backup/logs");
  { std::ofstream(root_ + "/notes") << "x"; }
  std::filesystem::create_directories(root_ + "/hurt/bundle");
  std::filesystem::create_directories(root_ + "/hurt/run");
  std::filesystem::create_directory_symlink("hurt", root_ + "/link");
  environment where;
  where.root = root_;
  auto list = list_sandboxes(where);
  ASSERT_TRUE(list) << list.error().to_string();
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().id, "hurt");
  EXPECT_TRUE(list->front().damaged);
  for (const char* id : {"lost+found", "backup", "notes", "link"}) {
    auto found = sandbox::attach(where, id);
    ASSERT_FALSE(found) << id;
    EXPECT_EQ(found.error().code, errc::not_found) << found.error().to_string();
    sandbox_record record;
    record.id = id;
    const auto made = detail::make_state_directory(root_, record);
    ASSERT_FALSE(made) << id;
    EXPECT_EQ(made.error().code, errc::exists);
    EXPECT_EQ(made.error().hint, "choose another id");
  }
  auto hurt = sandbox::attach(where, "hurt");
  ASSERT_TRUE(hurt) << hurt.error().to_string();
  EXPECT_TRUE((*hurt)->record().damaged);
}

TEST_F(OnDisk, RemovalFollowsNoSymlink) {
  std::filesystem::create_directories(root_ + "/victim/a/b");
  std::filesystem::create_directories(root_ + "/kept");
  { std::ofstream(root_ + "/kept/file") << "x"; }
  std::filesystem::create_directory_symlink(root_ + "/kept", root_ + "/victim/a/link");
  { std::ofstream(root_ + "/victim/a/b/file") << "x"; }
  ASSERT_TRUE(detail::remove_tree(root_ + "/victim"));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/victim"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/kept/file"));
  EXPECT_TRUE(detail::remove_tree(root_ + "/victim"));
  EXPECT_FALSE(detail::remove_tree(root_ + "/kept/file"));
}

TEST(Bundle, SaysWhatTheSandboxIs) {
  sandbox_record record;
  record.id = "web";
  record.token = "abcdefghijklm";
  record.directory = "/b/web";
  record.hostname = "host";
  record.network = network_mode::sandbox;
  record.net = record_network{*parse_ipv4_subnet("10.211.0.4/30"), 1500, default_max_connections, {}};
  record.memory_bytes = 1u << 30;
  record.cpus = 2;
  sandbox_config what = good();
  what.mounts = {{"/data", "/data", true}};
  what.env = {"A=b"};
  EXPECT_EQ(detail::hosts_file(record),
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.211.0.6\thost\n");
  auto spec = detail::sandbox_spec(record, what, "/lib/init", detail::etc_files(record, {}));
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(*spec->get("/process/args"), "[\"/.berth/init\"]");
  EXPECT_EQ(*spec->get("/root/path"), "\"/srv/rootfs\"");
  EXPECT_EQ(*spec->get("/linux/cgroupsPath"), "\"/berth-abcdefghijklm\"");
  EXPECT_EQ(*spec->get("/linux/resources/memory/limit"), "1073741824");
  EXPECT_EQ(spec_namespaces(*spec).get("network")->path, "/run/netns/berth-abcdefghijklm");
  const spec_mounts mounts(*spec);
  EXPECT_EQ(mounts.get("/.berth/init")->source, "/lib/init");
  EXPECT_EQ(mounts.get("/run/berth")->source, "/b/web/shared");
  EXPECT_EQ(mounts.get("/etc/resolv.conf")->source, "/b/web/bundle/resolv.conf");
  EXPECT_EQ(mounts.get("/data")->options.back(), "ro");

  record.network = network_mode::none;
  record.net.reset();
  record.memory_bytes = 0;
  record.cpus = 0;
  record.shared_directory = false;
  what.edit_spec = [](spec_builder& s) { return spec_hostname(s).set("edited"); };
  spec = detail::sandbox_spec(record, what, "/lib/init", detail::etc_files(record, {}));
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_FALSE(spec->get("/linux/cgroupsPath"));
  EXPECT_EQ(spec_namespaces(*spec).get("network")->path, "");
  EXPECT_FALSE(spec_mounts(*spec).get("/run/berth"));
  EXPECT_FALSE(spec_mounts(*spec).get("/etc/resolv.conf"));
  EXPECT_EQ(spec_hostname(*spec).get(), "edited");
  spec = detail::sandbox_spec(record, what, "/lib/init", {});
  ASSERT_TRUE(spec);
  EXPECT_FALSE(spec_mounts(*spec).get("/etc/hosts"));
}

struct EtcFiles : ::testing::Test {
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "berth-etc-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(root + "/" + name).rdbuf();
    return text.str();
  }
  std::string root;
  const std::vector<detail::etc_file> files = {{"hosts", "ours\n"}, {"resolv.conf", "nameserver 192.0.2.1\n"}};
};

TEST_F(EtcFiles, TakeThePlaceOfWhatIsThereAndFollowNoLink) {
  std::filesystem::create_directory(root + "/etc");
  std::ofstream(root + "/victim") << "untouched";
  std::filesystem::create_symlink("../victim", root + "/etc/hosts");
  std::filesystem::create_symlink(root + "/victim", root + "/etc/resolv.conf");
  EXPECT_TRUE(detail::write_etc(root, files).value());
  EXPECT_EQ(read("etc/hosts"), "ours\n");
  EXPECT_EQ(read("etc/resolv.conf"), "nameserver 192.0.2.1\n");
  EXPECT_EQ(read("victim"), "untouched");
}

TEST_F(EtcFiles, AnEtcThatLeadsOutOfTheRootStaysWithin) {
  std::filesystem::create_directory(root + "/inside");
  std::filesystem::create_directory(root + "/inside/host");
  std::filesystem::create_symlink("../../../host", root + "/inside/etc");
  EXPECT_TRUE(detail::write_etc(root + "/inside", files).value());
  EXPECT_EQ(read("inside/host/hosts"), "ours\n");
}

TEST_F(EtcFiles, AreMadeWhereThereIsNoEtcAndRefusedWhereItIsAFile) {
  EXPECT_TRUE(detail::write_etc(root, files).value());
  EXPECT_EQ(read("etc/hosts"), "ours\n");
  std::filesystem::create_directory(root + "/other");
  std::ofstream(root + "/other/etc") << "a file";
  EXPECT_FALSE(detail::write_etc(root + "/other", files).value());
}

}  // namespace
