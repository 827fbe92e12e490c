// SPDX-License-Identifier: Apache-2.0
// Snapshots by the command, on real runsc and real dockerd.
#include "support/snapshot_fixture.hpp"

#include <sys/mount.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;
using std::string;
using words = std::vector<string>;

class Snapshot : public snapshot_test {};

TEST_F(Snapshot, ASandboxGoesOnFromWhereItWasUnderANameOfItsOwn) {
  must(on_network({"--id", "box", "--env", "COLOUR=blue", "--egress", "198.51.100.0/24"}));
  inside("box", "echo kept > /root/file; echo '192.0.2.7 other' >> /etc/hosts");
  inside("box",
         "setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i > /tmp/count; sleep 0.1; done' "
         "> /dev/null 2>&1 < /dev/null &");
  const auto count = [this](const string& id) { return [this, id] { return inside(id, "cat /tmp/count || :"); }; };
  ASSERT_TRUE(counts_on(count("box")));
  const string line = must({"snapshot", "box", "warm"});
  EXPECT_TRUE(line.starts_with("warm\t")) << line;
  EXPECT_TRUE(counts_on(count("box"))) << "the sandbox goes on";

  EXPECT_EQ(must({"run", "-d", "--id", "one", "--from", "warm"}), "one");
  EXPECT_EQ(must({"run", "-d", "--id", "two", "--hostname", "deux", "--egress", "none", "--from", "warm"}), "two");
  EXPECT_EQ(status_of("one", {"network", "egress", "0"}), "198.51.100.0/24");
  EXPECT_EQ(status_of("two", {"network", "egress", "0"}), "none");
  for (const string id : {"one", "two"}) {
    SCOPED_TRACE(id);
    EXPECT_EQ(inside(id, "cat /root/file; echo $COLOUR"), "kept\nblue");
    EXPECT_TRUE(counts_on(count(id)));
    const string name = id == "one" ? "one" : "deux", address = status_of(id, {"network", "address"});
    EXPECT_EQ(inside(id, "hostname"), name);
    const string hosts = inside(id, "cat /etc/hosts");
    EXPECT_NE(hosts.find(address + "\t" + name), string::npos) << hosts;
    EXPECT_NE(hosts.find("192.0.2.7 other"), string::npos) << hosts;
    EXPECT_NE(inside(id, "ip -o -4 addr").find(address), string::npos);
  }
  EXPECT_NE(status_of("one", {"network", "address"}), status_of("two", {"network", "address"}));
  const string random = "head -c 16 /dev/urandom | od -An -tx1";
  EXPECT_NE(inside("one", random), inside("two", random));
  inside("one", "echo changed > /root/file");
  EXPECT_EQ(inside("two", "cat /root/file"), "kept");
  // The clock inside is the host's.
  EXPECT_LT(std::labs(std::stol(inside("one", "date +%s")) - static_cast<long>(::time(nullptr))), 60);

  // And of a copy another.
  must({"snapshot", "one", "again", "--stop"});
  EXPECT_EQ(status_of("one", {"state"}), "stopped");
  must({"rm", "one"});
  must({"run", "-d", "--id", "one", "--from", "again"});
  EXPECT_EQ(inside("one", "cat /root/file; hostname"), "changed\none");

  const parsed_json list(run({"snapshots", "--json"}).out);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list.at({"0", "name"}), "again");
  EXPECT_EQ(list.at({"1", "sandbox"}), "box");
  EXPECT_EQ(list.at({"1", "docker"}), "false");
  EXPECT_GT(std::stol(list.at({"1", "bytes"})), 100'000);
  EXPECT_EQ(must({"snapshots", "--names"}), "again\nwarm");
  EXPECT_EQ(must({"snapshot", "rm", "again", "warm"}), "again\nwarm");
  EXPECT_EQ(inside("two", "cat /root/file"), "kept") << "it needs the snapshot no more";
}

TEST_F(Snapshot, DockerIsThereAtOnceWithItsImagesContainersAndNetworks) {
  const string programs = string(std::getenv("BERTH_BUILD")) + "/inside";
  must(on_network({"--id", "box", "--docker", "--wait", "--volume", programs + ":/inside:ro"}));
  load_image("box");
  docker("box", {"network", "create", "front"});
  docker("box", {"volume", "create", "data"});
  docker("box", {"run", "-d", "--name", "count", "-v", "data:/data", image_name_, "sh", "-c",
                 "ping -c 1 172.17.0.1; i=0; while :; do i=$((i+1)); echo $i > /data/n; sleep 0.2; done"});
  docker("box", {"run", "-d", "--name", "web", "--network", "front", "-p", "8080:80", "-v", "/inside:/inside",
                 image_name_, "/inside/calls", "serve", "80"});
  const command_output taken = run({"snapshot", "box", "warm"});
  ASSERT_EQ(taken.code, 0) << taken.err;
  const auto count = [this](const string& id) {
    return [this, id] { return docker(id, {"exec", "count", "cat", "/data/n"}); };
  };
  EXPECT_TRUE(counts_on(count("box")));

  // A server behind this host.
  const auto host = [](const string& script) { return ::system(script.c_str()) == 0; };
  ASSERT_TRUE(
      host("ip netns add bd-snapshot && ip link add bd-snap type veth peer name eth0 netns bd-snapshot && "
           "ip addr add 203.0.113.5/30 dev bd-snap && ip link set bd-snap up && "
           "ip -n bd-snapshot addr add 203.0.113.6/30 dev eth0 && ip -n bd-snapshot link set eth0 up"));
  ASSERT_TRUE(host("ip netns exec bd-snapshot " + programs +
                   "/calls serve 7998 >/dev/null 2>&1 </dev/null & echo $! > " + beside() + "/server.pid"));
  for (const string id : {"one", "two"}) must({"run", "-d", "--id", id, "--wait", "--from", "warm"});
  for (const string id : {"box", "one", "two"}) {
    SCOPED_TRACE(id);
    EXPECT_EQ(status_of(id, {"docker", "state"}), "ready");
    EXPECT_TRUE(counts_on(count(id))) << "it ran on: it has no socket that was cut off";
    EXPECT_NE(docker(id, {"exec", "count", "ping", "-c", "1", "172.17.0.1"}).find("1 packets received"), string::npos)
        << "it had sent something before, and does again";
    const auto call = [&](const string& network, const string& to, const string& port) {
      return run({"docker", id, "--", "run", "--rm", "--network", network, "-v", "/inside:/inside", image_name_,
                  "/inside/calls", "tcp", to, port, "5"})
          .out;
    };
    EXPECT_EQ(call("bridge", "203.0.113.6", "7998"), "answered 5 of 5\n") << "the way out";
    const auto address_of_web = [&] {
      return docker(id, {"inspect", "-f", "{{.NetworkSettings.Networks.front.IPAddress}}", "web"});
    };
    // It has been begun again, since its socket was gone.
    EXPECT_TRUE(eventually([&] { return call("front", address_of_web(), "80") == "answered 5 of 5\n"; }));
    EXPECT_NE(docker(id, {"run", "--rm", "--network", "front", image_name_, "nslookup", "web"}).find(address_of_web()),
              string::npos);
    const string published = programs + "/calls tcp " + status_of(id, {"network", "address"}) + " 8080 5 > " +
                             beside() + "/answer && grep -q 'answered 5 of 5' " + beside() + "/answer";
    EXPECT_TRUE(eventually([&] { return host(published); }));
    docker(id, {"network", "create", "back"});
    EXPECT_EQ(docker(id, {"run", "--rm", "--network", "back", image_name_, "echo", "made"}), "made");
  }
  host("kill $(cat " + beside() + "/server.pid); ip link del bd-snap; ip netns del bd-snapshot");
}

TEST_F(Snapshot, WhatCannotBeSavedIsRefusedAndTheSandboxGoesOn) {
  must(run_words({"-d", "--id", "box"}));
  const auto refused = [this](const words& what, const string& why) {
    const command_output done = run(what);
    EXPECT_NE(done.code, 0);
    EXPECT_NE(done.err.find(why), string::npos) << done.err;
    EXPECT_EQ(run({"exec", "box", "--", "true"}).code, 0);
    return done.code;
  };
  {
    const auto running = start({"exec", "box", "--", "sh", "-c", "echo up >&2; sleep 1000"});
    ASSERT_TRUE(running->wait_for_stderr("up"));
    refused({"snapshot", "box", "warm"}, "1 command runs through the sandbox's guest, and would be cut off");
  }
  EXPECT_EQ(refused({"snapshot", "none", "warm"}, "no sandbox is called 'none'"), 4);
  EXPECT_EQ(refused({"snapshot", "box", "a/b"}, "this cannot be a snapshot's name"), 2);
  EXPECT_EQ(refused({"snapshot", "box"}, "a sandbox and a name"), 2);
  EXPECT_EQ(refused({"snapshot", "rm"}, "no snapshot is named"), 2);
  EXPECT_EQ(refused({"snapshot", "rm", "warm"}, "there is no snapshot of this name"), 4);
  EXPECT_EQ(refused({"snapshot", "inspect", "warm"}, "there is no snapshot of this name"), 4);
  EXPECT_TRUE(eventually([&] { return run({"snapshot", "box", "warm"}).code == 0; })) << "the command has ended";
  refused({"snapshot", "box", "warm"}, "there is a snapshot of this name");
  must({"pause", "box"});
  EXPECT_NE(run({"snapshot", "box", "other"}).err.find("the sandbox is paused"), string::npos);
  must({"resume", "box"});

  // What lies in the guest's way on its own side harms nobody but itself.
  inside("box", "mkdir /run/berth/wake");
  EXPECT_NE(run({"snapshot", "box", "other"}).code, 0);
  EXPECT_EQ(run({"exec", "box", "--", "rmdir", "/run/berth/wake"}).code, 0);
  must({"snapshot", "box", "other"});
}

TEST_F(Snapshot, AFullDiskLeavesNothingAndTheSandboxGoesOn) {
  must(run_words({"-d", "--id", "box"}));
  inside("box", "head -c 30000000 /dev/urandom > /root/large");
  fs::create_directory(root_ + "/.snapshots");
  ASSERT_EQ(::mount("test", (root_ + "/.snapshots").c_str(), "tmpfs", 0, "size=8m,mode=0700"), 0);
  const command_output done = run({"snapshot", "box", "warm"});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.err.find("no space left"), string::npos) << done.err;
  EXPECT_EQ(must({"snapshots", "--names"}), "");
  EXPECT_TRUE(fs::is_empty(root_ + "/.snapshots"));
  EXPECT_EQ(run({"exec", "box", "--", "true"}).code, 0);
}

TEST_F(Snapshot, WhoeverMakesItMayBeKilledAtAnyTime) {
  must(run_words({"-d", "--id", "box"}));
  for (const int delay_ms : {5, 60, 200}) {
    SCOPED_TRACE(delay_ms);
    const string name = "warm-" + std::to_string(delay_ms);
    const auto making = start({"snapshot", "box", name});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    making->signal(SIGKILL);
    making->finish();
    // The guest waits for a while for who began it.
    EXPECT_TRUE(eventually([&] { return run({"snapshot", "box", name + "-again"}).code == 0; }));
    EXPECT_EQ(inside("box", "echo well"), "well");
  }
  must({"gc"});
  for (const auto& entry : fs::directory_iterator(root_ + "/.snapshots"))
    EXPECT_TRUE(entry.path().filename().string().starts_with("warm")) << entry.path();
}

TEST_F(Snapshot, WhatDoesNotFitIsNotRestored) {
  std::ofstream(beside() + "/given") << "x";
  must(run_words({"-d", "--id", "box", "--volume", beside() + "/given:/given:ro"}));
  must({"snapshot", "box", "warm"});
  const auto refused = [this](words what, const string& why) {
    const command_output done = run(what);
    EXPECT_NE(done.code, 0);
    EXPECT_NE(done.err.find(why), string::npos) << done.err;
    return done.code;
  };
  EXPECT_EQ(refused({"run", "-d", "--from", "warm", "--memory", "1Gi"}, "--memory"), 2);
  EXPECT_EQ(refused({"run", "-d", "--from", "warm", "--docker"}, "--docker"), 2);
  EXPECT_EQ(refused({"run", "-d", "--from", "warm", "--rootfs", rootfs_}, "--rootfs"), 2);
  EXPECT_EQ(refused({"run", "-d"}, "a root file system is needed, or a snapshot"), 2);
  EXPECT_EQ(refused({"run", "-d", "--from", "none"}, "there is no snapshot of this name"), 1);

  const string manifest = root_ + "/.snapshots/warm/manifest.json";
  std::stringstream text;
  text << std::ifstream(manifest).rdbuf();
  const auto edit = [&](const string& what, const string& by) {
    string changed = text.str();
    const std::size_t at = changed.find(what);
    ASSERT_NE(at, string::npos) << what;
    std::ofstream(manifest) << changed.replace(at, what.size(), by);
  };
  edit("\"runsc\": \"release-", "\"runsc\": \"release-1");
  refused({"run", "-d", "--from", "warm"}, "it was made by runsc release-1");
  edit("\"cpu\": \"", "\"cpu\": \"warpdrive ");
  refused({"run", "-d", "--from", "warm"}, "this machine's CPU lacks warpdrive");
  edit("\"rootfs\": \"", "\"rootfs\": \"0");
  refused({"run", "-d", "--from", "warm"}, "its root file system was changed or replaced");
  edit("{", "");
  refused({"run", "-d", "--from", "warm"}, "manifest cannot be read");
  std::ofstream(manifest) << text.str();
  fs::rename(beside() + "/given", beside() + "/taken");
  refused({"run", "-d", "--from", "warm"}, "cannot open what the snapshot's sandbox had bound");
  fs::rename(beside() + "/taken", beside() + "/given");
  must({"run", "-d", "--id", "one", "--from", "warm"});
  EXPECT_EQ(inside("one", "cat /given"), "x");
  // Half of an image is no sandbox, and leaves nothing.
  fs::resize_file(root_ + "/.snapshots/warm/image/pages.img", 4096);
  refused({"run", "-d", "--id", "two", "--from", "warm"}, "cannot restore the sandbox two");
}

}  // namespace
}  // namespace berth_test
