// SPDX-License-Identifier: Apache-2.0
// The berth command on real runsc and real dockerd.
#include "support/command_fixture.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string host_name() {
  struct utsname name;
  return ::uname(&name) == 0 ? name.nodename : "";
}

// Lines are there, in this order.
void expect_in_order(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    const std::size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << "no '" << part << "' behind the one before, in:\n" << text;
    at = found + part.size();
  }
}

using Command = command_test;

TEST_F(Command, TheDemo) {
  const command_output made = run({"-v", "run", "-d", "--wait", "--id", "demo", "--rootfs", rootfs_, "--docker"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out, "demo\n");
  expect_in_order(made.err, {"INF added docker capabilities for sandbox container",
                             "INF added cgroup mount for docker-in-docker", "INF preparing to start docker daemon",
                             "INF docker daemon process started - waiting for daemon to be ready pid=",
                             "DBG socket exists, checking daemon with 'docker info'...",
                             "INF docker daemon is ready and accepting commands retry_count="});

  const command_output loaded = run({"docker", "demo", "--", "load"}, content(image_));
  ASSERT_EQ(loaded.code, 0) << loaded.err;
  // Only the nested container knows its own name and its kernel.
  const command_output nested = run({"docker", "demo", "--", "run", "--rm", "--hostname", "nested-one", image_name_,
                                     "sh", "-c", "echo \"$(hostname) $(uname -r)\"; exit 5"});
  EXPECT_EQ(nested.code, 5) << nested.err;
  EXPECT_TRUE(nested.out.starts_with("nested-one 4.")) << nested.out;
  EXPECT_NE(nested.out.find("gvisor"), std::string::npos) << nested.out;

  ASSERT_EQ(run({"docker", "demo", "--", "run", "-d", "--name", "web", image_name_, "sleep", "1000"}).code, 0);
  for (const char* where : {"--host", "--inside"}) {
    const command_output ps = run({"docker", where, "demo", "--", "ps", "--format", "{{.Names}} {{.Status}}"});
    EXPECT_EQ(ps.code, 0) << ps.err;
    EXPECT_TRUE(ps.out.starts_with("web Up")) << where << ": " << ps.out;
  }
  const command_output gone = run({"rm", "demo"});
  EXPECT_EQ(gone.code, 0) << gone.err;
  EXPECT_EQ(gone.out, "demo\n");
}

TEST_F(Command, ForegroundHasTheCommandsStreamsAndCode) {
  const command_output got =
      run(run_words({"--id", "fg", "--env", "A=b c", "--cwd", "/usr", "--hostname", "named", "--", "sh", "-c",
                     "echo out; echo err >&2; cat; pwd; echo $A; hostname; exit 42"}),
          "typed\n");
  EXPECT_EQ(got.code, 42) << got.err;
  EXPECT_EQ(got.out, "out\ntyped\n/usr\nb c\nnamed\n");
  EXPECT_EQ(got.err, "err\n");
}

TEST_F(Command, ForegroundWaitsForDocker) {
  const command_output got =
      run(run_words({"-q", "--docker", "--", "docker", "version", "--format", "{{.Server.Version}}"}));
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.out.find('.'), std::string::npos) << got.out;
  EXPECT_EQ(got.err, "");
}

TEST_F(Command, TheRootFileSystemIsNeverWrittenTo) {
  // One that lacks every mount point, which runsc would make in it.
  const fs::path bare = root_ + "-bare,root:fs";
  fs::create_directories(bare / "bin");
  fs::copy_file(fs::canonical(rootfs_ + "/usr/bin/busybox"), bare / "bin/busybox");
  fs::create_symlink("busybox", bare / "bin/sh");
  const auto listing = [&] {
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(bare)) all.insert(entry.path().string());
    return all;
  };
  const auto before = listing();
  std::ofstream(root_ + "-file") << "bound";
  const command_output got =
      run({"run", "--rootfs", bare, "--volume", root_ + "-file:/srv/data/file:ro", "--", "sh", "-c",
           "echo x > /new && busybox cat /new /srv/data/file && busybox rm /bin/sh && busybox stat -c %a /"});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "x\nbound755\n") << got.err;
  EXPECT_EQ(listing(), before);
  fs::remove_all(bare);
  fs::remove(root_ + "-file");
}

TEST_F(Command, ARootFileSystemWithoutDockerIsTold) {
  const fs::path bare = root_ + "-bare";
  fs::create_directories(bare / "bin");
  const command_output got = run({"run", "-d", "--wait", "--rootfs", bare, "--network", "none", "--docker", "--json"});
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(parsed_json(got.err).at({"error", "code"}), "daemon_not_present");
  const command_output doctor = run({"doctor", "--rootfs", bare});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(doctor.out.find("rootfs dockerd"), std::string::npos) << doctor.out;
  fs::remove_all(bare);
}

TEST_F(Command, LargeInputAndOutputComeWhole) {
  std::string data;
  for (int i = 0; data.size() < (8u << 20); ++i) data += std::to_string(i) + "\n";
  const command_output got = run(run_words({"--", "cat"}), data);
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out.size(), data.size());
  EXPECT_TRUE(got.out == data);
}

TEST_F(Command, SignalsEndTheForegroundAndTheSandbox) {
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) {
    const auto running = start(run_words({"--", "sh", "-c", "echo up >&2; exec sleep 1000"}));
    ASSERT_TRUE(running->wait_for_stderr("up"));
    running->signal(signo);
    const command_output got = running->finish();
    EXPECT_EQ(got.code, 128 + signo) << got.err;
    EXPECT_EQ(left_now(), "");
  }
}

TEST_F(Command, SignalsWhileItIsMadeTakeItDown) {
  for (const char* phase : {"phase=directories", "phase=runsc", "phase=running", "docker daemon process started"}) {
    for (const bool detached : {false, true}) {
      std::vector<std::string> words = run_words({"-v", "--docker"});
      if (detached) words.insert(words.end(), {"-d", "--wait"});
      else words.insert(words.end(), {"--", "sleep", "1000"});
      const auto running = start(words);
      ASSERT_TRUE(running->wait_for_stderr(phase)) << phase << running->finish().err;
      running->signal(SIGTERM);
      const command_output got = running->finish();
      EXPECT_EQ(got.code, 143) << phase << " " << detached << "\n" << got.err;
      EXPECT_EQ(got.out, "");
      EXPECT_EQ(left_now(), "") << phase << " " << detached;
    }
  }
}

TEST_F(Command, ExecIsTheCommandsOwn) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box"})).code, 0);
  const command_output got = run({"exec", "--env", "A=1", "-e", "B=2", "--cwd", "/tmp", "--user", "65534:65534", "box",
                                  "--", "sh", "-c", "echo $A$B; pwd; id -u; echo err >&2; cat; exit 9"},
                                 "in");
  EXPECT_EQ(got.code, 9);
  EXPECT_EQ(got.out, "12\n/tmp\n65534\nin");
  EXPECT_EQ(got.err, "err\n");
  EXPECT_EQ(run({"exec", "box", "echo", "-n", "without dashes"}).out, "without dashes");
  EXPECT_EQ(run({"exec", "box", "--", "no-such-program"}).code, 127);
  EXPECT_EQ(run({"exec", "box", "--", "sh", "-c", "kill -TERM $$"}).code, 143);
  const command_output late = run({"exec", "--timeout", "0.3", "box", "--", "sleep", "1000"});
  EXPECT_EQ(late.code, 3);
  EXPECT_NE(late.err.find("within 300ms"), std::string::npos) << late.err;
  EXPECT_EQ(run({"exec", "box", "--", "sh", "-c", "ps -A -o args | grep -c '[s]leep 1000'"}).out, "0\n");
  // A stream that is closed or takes nothing: no hang, and output that is lost is no success.
  const auto through_shell = [&](const std::string& rest) {
    return std::system((berth_ + " --root " + root_ + " --runsc " + runsc_ + " exec box -- " + rest).c_str());
  };
  EXPECT_EQ(through_shell("cat <&- >/dev/null"), 0);
  EXPECT_EQ(through_shell("true <&- >&- 2>&-"), 0);
  EXPECT_EQ(WEXITSTATUS(through_shell("echo lost >/dev/full 2>/dev/null")), 1);
  // A signal reaches the command, whose answer is the exit code.
  const auto running =
      start({"exec", "box", "--", "sh", "-c", "trap 'exit 77' INT; echo up >&2; while :; do sleep 0.05; done"});
  ASSERT_TRUE(running->wait_for_stderr("up"));
  running->signal(SIGINT);
  EXPECT_EQ(running->finish().code, 77);
  EXPECT_EQ(run({"rm", "box"}).code, 0);
}

TEST_F(Command, APausedSandboxSaysSoAndIsRemovedInOrder) {
  ASSERT_EQ(run(run_words({"-d", "--wait", "--docker", "--id", "box"})).code, 0);
  const command_output paused = run({"pause", "box"});
  EXPECT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(paused.out, "box\n");
  EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).at({"0", "state"}), "paused");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"exec", "box", "--", "true"}, {"docker", "box", "--", "ps"}, {"wait", "box"}}) {
    const command_output refused = run(words);
    EXPECT_NE(refused.code, 0);
    EXPECT_NE(refused.err.find("the sandbox is paused"), std::string::npos) << words[0] << ": " << refused.err;
  }
  EXPECT_EQ(run({"resume", "box"}).code, 0);
  EXPECT_EQ(run({"exec", "box", "--", "docker", "ps", "-q"}).code, 0);
  EXPECT_EQ(run({"pause", "box"}).code, 0);
  EXPECT_EQ(run({"rm", "box"}).code, 0);
  EXPECT_EQ(left_now(), "");
  EXPECT_EQ(run({"pause", "box"}).code, run({"status", "box"}).code) << "no such sandbox";
}

TEST_F(Command, AReaderThatTakesNothingHoldsUpNeitherTimeoutsNorSignals) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box"})).code, 0);
  const auto late = start({"exec", "--timeout", "1", "box", "--", "yes"});
  EXPECT_TRUE(eventually([&] { return late->ended(); }));
  EXPECT_EQ(late->finish().code, 3);
  const auto told = start({"exec", "box", "--", "sh", "-c", "echo up >&2; exec yes"});
  ASSERT_TRUE(told->wait_for_stderr("up"));
  told->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return told->ended(); }));
  EXPECT_EQ(told->finish().code, 143);
  const auto front = start(run_words({"--lifetime", "2", "--", "yes"}));
  EXPECT_TRUE(eventually([&] { return front->ended(); }));
  EXPECT_EQ(front->finish().code, 3);

  // The command has ended, its output fits the pipes: it is waited for, until somebody wants no more of it.
  const std::vector<std::string> words{"exec", "box", "--", "sh", "-c", "head -c 100000 /dev/zero; echo done >&2"};
  const auto slow = start(words), dropped = start(words);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(slow->ended());
    ::usleep(50'000);
  }
  const command_output whole = slow->finish();
  EXPECT_EQ(whole.code, 0);
  EXPECT_EQ(whole.out.size(), 100000u);
  dropped->signal(SIGINT);
  EXPECT_TRUE(eventually([&] { return dropped->ended(); }));
  EXPECT_EQ(dropped->finish().code, 130);
  // What holds the stream open behind the command's back is not the command's.
  EXPECT_EQ(run({"exec", "box", "--", "sh", "-c", "sleep 1000 & echo own"}).out, "own\n");
  EXPECT_EQ(run({"rm", "box"}).code, 0);
}

TEST_F(Command, AnIdThatCannotBePrintedIsNoSandbox) {
  for (const char* to : {">/dev/full", "| true"}) {
    SCOPED_TRACE(to);
    // The pipe's reader has gone by the time that there is an id.
    const std::string line =
        berth_ + " --root " + root_ + " --runsc " + runsc_ + " run -d --network none --rootfs " + rootfs_;
    const int ended = std::system(("bash -c 'set -o pipefail; " + line + " 2>/dev/null " + to + "'").c_str());
    EXPECT_EQ(WEXITSTATUS(ended), 1);
    EXPECT_EQ(run({"ls", "--ids"}).out, "");
    EXPECT_EQ(left_now(), "");
  }
}

TEST_F(Command, DetachedCommandLeavesItsOutputAndCode) {
  ASSERT_EQ(run(run_words({"-d", "--id", "job", "--", "sh", "-c", "echo one; sleep 0.3; echo two >&2; exit 6"})).out,
            "job\n");
  const command_output followed = run({"logs", "--follow", "job"});
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_EQ(followed.out, "one\ntwo\n");
  ASSERT_TRUE(eventually([&] { return parsed_json(run({"status", "--json", "job"}).out).at({"state"}) == "stopped"; }));
  const parsed_json status(run({"status", "--json", "job"}).out);
  EXPECT_EQ(status.at({"command", "state"}), "exited");
  EXPECT_EQ(status.at({"command", "exit_code"}), "6");
  EXPECT_EQ(run({"logs", "job"}).out, "one\ntwo\n");
  EXPECT_NE(run({"ls"}).out.find("exited 6"), std::string::npos);
  EXPECT_NE(run({"exec", "job", "--", "true"}).code, 0);
  EXPECT_EQ(run({"rm", "job"}).code, 0);
}

TEST_F(Command, EgressIsShownAndChanged) {
  ASSERT_EQ(run({"run", "--rootfs", rootfs_, "-d", "--id", "box", "--egress", "10.0.0.0/8", "--egress", "dns"}).out,
            "box\n");
  EXPECT_EQ(run({"egress", "box"}).out, "egress:  10.0.0.0/8 dns\nrefused: 0 packets\n");
  const std::string gateway = parsed_json(run({"status", "box", "--json"}).out).at({"network", "gateway"});
  const command_output knock = run({"exec", "box", "--", "bash", "-c", "exec 3<>/dev/tcp/" + gateway + "/9"});
  EXPECT_NE(knock.err.find("refused"), std::string::npos) << knock.err;
  const command_output changed = run({"egress", "box", "set", "none", "--json"});
  EXPECT_EQ(changed.code, 0) << changed.err;
  EXPECT_EQ(parsed_json(changed.out).at({"egress"}), R"(["none"])");
  EXPECT_NE(parsed_json(changed.out).at({"refused"}), "0");
  EXPECT_EQ(parsed_json(changed.out).at({"refused_places", "0", "to"}), gateway + ":9/tcp");
  const std::string shown = run({"egress", "box"}).out;
  EXPECT_NE(shown.find("\n  " + gateway + ":9/tcp: 1, the last "), std::string::npos) << shown;
  EXPECT_EQ(parsed_json(run({"status", "box", "--json"}).out).at({"network", "egress", "0"}), "none");
  const command_output status = run({"status", "box"});
  EXPECT_NE(status.out.find("  egress:   none, "), std::string::npos) << status.out;
  const command_output bad = run({"egress", "box", "set", "10.211.0.2"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.err.find("of other sandboxes"), std::string::npos) << bad.err;
  EXPECT_EQ(run({"egress", "box"}).out.substr(0, 14), "egress:  none\n");
  EXPECT_EQ(run({"rm", "box"}).code, 0);
  EXPECT_EQ(run({"egress", "box"}).code, 4);

  ASSERT_EQ(run(run_words({"-d", "--id", "alone"})).code, 0);
  const command_output refused = run({"egress", "alone", "set", "none"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("this one has no network"), std::string::npos) << refused.err;
  EXPECT_EQ(run({"rm", "alone"}).code, 0);
}

TEST_F(Command, StatusTellsThatTheLimitOfConnectionsIsMet) {
  ASSERT_EQ(run({"run", "--rootfs", rootfs_, "-d", "--id", "many", "--max-connections", "20"}).out, "many\n");
  EXPECT_EQ(parsed_json(run({"status", "many", "--json"}).out).at({"network", "max_connections"}), "20");
  EXPECT_EQ(parsed_json(run({"status", "many", "--json"}).out).at({"network", "refused_connections"}), "0");
  EXPECT_EQ(run({"status", "many"}).out.find("refused"), std::string::npos);
  // Nobody is behind this link.
  ASSERT_EQ(
      std::system(
          "ip link add bc-host type veth peer name bc-peer && ip link set bc-peer up && ip link set bc-host up && "
          "ip addr add 203.0.113.1/24 dev bc-host && ip neigh add 203.0.113.2 lladdr 02:00:00:00:00:01 dev bc-host"),
      0);
  const command_output sent = run({"exec", "many", "--", "perl", "-MSocket", "-e",
                                   "socket(S,AF_INET,SOCK_DGRAM,0); for (1..100) { send(S,'x',0,sockaddr_in(20000+$_,"
                                   "inet_aton('203.0.113.2'))) or die $! } print 'sent'"});
  EXPECT_EQ(sent.out, "sent") << sent.err;
  const std::string status = run({"status", "many"}).out;
  EXPECT_NE(status.find(" 80 new connections"), std::string::npos) << status;
  EXPECT_EQ(parsed_json(run({"status", "many", "--json"}).out).at({"network", "refused_connections"}), "80");
  EXPECT_EQ(run({"rm", "--force", "many"}).code, 0);
  EXPECT_EQ(std::system("ip link del bc-host"), 0);
}

TEST_F(Command, JsonOfEveryVerb) {
  const parsed_json made(run(run_words({"--json", "-d", "--id", "j", "--docker", "--memory", "1Gi", "--cpus", "1.5",
                                        "--label", "team=x", "--wait"}))
                             .out);
  EXPECT_EQ(made.at({"id"}), "j");

  const parsed_json list(run({"ls", "--json"}).out);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list.at({"0", "id"}), "j");
  EXPECT_EQ(list.at({"0", "state"}), "running");
  EXPECT_EQ(list.at({"0", "annotations", "team"}), "x");
  EXPECT_EQ(list.at({"0", "memory_bytes"}), "1073741824");
  EXPECT_EQ(list.at({"0", "cpus"}), "1.5");

  const parsed_json status(run({"status", "j", "--json"}).out);
  EXPECT_EQ(status.at({"docker", "state"}), "ready");
  EXPECT_EQ(status.at({"detached"}), "true");
  EXPECT_NE(status.at({"docker", "pid"}), "0");

  EXPECT_EQ(parsed_json(run({"wait", "--json", "j"}).out).at({"ready"}), "true");
  EXPECT_EQ(parsed_json(run({"env", "j", "--json"}).out).at({"DOCKER_HOST"}),
            "unix://" + root_ + "/j/shared/docker.sock");
  EXPECT_EQ(run({"env", "j"}).out, "export DOCKER_HOST=unix://" + root_ + "/j/shared/docker.sock\n");

  const std::string tar = root_ + "-changes.tar";
  ASSERT_EQ(run({"exec", "j", "--", "touch", "/made-inside"}).code, 0);
  EXPECT_EQ(parsed_json(run({"export", "j", "--json", "--output", tar}).out).at({"file"}), tar);
  EXPECT_NE(content(tar).find("made-inside"), std::string::npos);
  fs::remove(tar);

  const parsed_json doctor(run({"doctor", "--json", "--rootfs", rootfs_}).out);
  EXPECT_EQ(doctor.at({"ok"}), "true");
  EXPECT_EQ(doctor.at({"checks", "0", "name"}), "root");
  const command_output sick = run({"doctor", "--json", "--runsc", "/nonexistent/runsc"});
  EXPECT_EQ(sick.code, 1);
  EXPECT_EQ(parsed_json(sick.out).at({"ok"}), "false");
  EXPECT_NE(sick.out.find("\"remedy\""), std::string::npos);

  const command_output argv =
      run({"runsc", "run", "--docker", "--bundle", "/b", "--debug-log", "/l", "--detach", "box"});
  const parsed_json words(argv.out);
  EXPECT_EQ(words.at({"0"}), runsc_) << argv.err;
  EXPECT_NE(argv.out.find("\"--net-raw"), std::string::npos) << argv.out;
  EXPECT_NE(argv.out.find("\"--host-uds=create\""), std::string::npos) << argv.out;

  const command_output without_log = run({"runsc", "create", "--bundle", "/b", "box"});
  EXPECT_EQ(without_log.code, 2);
  EXPECT_NE(without_log.err.find("--debug-log is needed"), std::string::npos) << without_log.err;

  const parsed_json error(run({"status", "none", "--json"}).err);
  EXPECT_EQ(error.at({"error", "code"}), "not_found");

  EXPECT_EQ(parsed_json(run({"rm", "j", "--json"}).out).at({"removed", "0"}), "j");
  EXPECT_EQ(parsed_json(run({"gc", "--json"}).out).at({"removed"}), "[]");
  EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).size(), 0u);
}

// Whoever can write to the directory of the output can put a link in its place before runsc comes to write.
TEST_F(Command, ExportWritesToTheFileThatItMade) {
  const std::string directory = root_ + "-export", tar = directory + "/changes.tar", victim = directory + "/victim";
  fs::create_directory(directory);
  std::ofstream(victim) << "of the host\n";
  const std::string runsc = directory + "/runsc";
  std::ofstream(runsc) << "#!/bin/sh\ncase \" $* \" in *' rootfs-upper '*) mv '" << tar << "' '" << tar
                       << ".moved'; ln -s '" << victim << "' '" << tar << "';; esac\nexec '" << runsc_ << "' \"$@\"\n";
  fs::permissions(runsc, fs::perms::owner_all);
  ASSERT_EQ(run(run_words({"-d", "--id", "race", "--runsc", runsc})).code, 0);
  ASSERT_EQ(run({"exec", "race", "--", "touch", "/made-inside"}).code, 0);
  const command_output exported = run({"export", "race", "--output", tar});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(content(victim), "of the host\n");
  EXPECT_NE(content(tar + ".moved").find("made-inside"), std::string::npos);
  EXPECT_TRUE(fs::is_symlink(tar));
  EXPECT_EQ(run({"rm", "race"}).code, 0);
  fs::remove_all(directory);
}

TEST_F(Command, AnInterruptedExportLeavesNoFile) {
  const std::string directory = root_ + "-export", tar = directory + "/changes.tar", runsc = directory + "/runsc";
  fs::create_directory(directory);
  std::ofstream(runsc) << "#!/bin/sh\ncase \" $* \" in *' rootfs-upper '*) echo half >&3; echo $$ > " << directory
                       << "/pid; exec sleep 1000;; esac\nexec '" << runsc_ << "' \"$@\"\n";
  fs::permissions(runsc, fs::perms::owner_all);
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--runsc", runsc})).code, 0);
  for (const int signo : {SIGINT, SIGTERM}) {
    const auto exporting = start({"export", "box", "--output", tar});
    EXPECT_TRUE(eventually([&] { return !content(directory + "/pid").empty(); }));
    EXPECT_EQ(content(tar), "half\n");
    exporting->signal(signo);
    EXPECT_EQ(exporting->finish().code, 128 + signo);
    EXPECT_FALSE(fs::exists(tar));
    const pid_t pid = std::stoi(content(directory + "/pid"));
    EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
    fs::remove(directory + "/pid");
  }
  EXPECT_EQ(run({"rm", "box"}).code, 0);
  fs::remove_all(directory);
}

TEST_F(Command, JsonLogLines) {
  const command_output got = run(run_words({"--log-format", "json", "--docker", "--", "true"}));
  ASSERT_EQ(got.code, 0) << got.err;
  std::istringstream lines(got.err);
  bool ready = false;
  for (std::string line; std::getline(lines, line);) {
    const parsed_json event(line);
    EXPECT_NE(event.at({"level"}), "(absent)") << line;
    EXPECT_NE(event.at({"time"}), "(absent)") << line;
    ready = ready || event.at({"message"}) == "docker daemon is ready and accepting commands";
  }
  EXPECT_TRUE(ready) << got.err;
}

TEST_F(Command, WhatIsNotThereIsFour) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"exec", "none", "--", "true"},
                                                {"docker", "none", "--", "ps"},
                                                {"env", "none"},
                                                {"wait", "none"},
                                                {"status", "none"},
                                                {"logs", "none"},
                                                {"rm", "none"},
                                                {"status", "../etc"},
                                                {"export", "none", "--output", "/nonexistent/file"}}) {
    const command_output got = run(words);
    EXPECT_EQ(got.code, 4) << words.front() << got.err;
    EXPECT_EQ(got.out, "") << words.front();
    EXPECT_NE(got.err.find("no sandbox is called"), std::string::npos) << got.err;
  }
}

TEST_F(Command, WhatASnapshotHasIsNotSaidAnew) {
  const char* said = "a sandbox that is restored has what its snapshot has";
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--memory", "1g"},
                                               {"--rootfs", rootfs_},
                                               {"-e", "A=b"},
                                               {"--env-file", "/none"},
                                               {"--mount", "/srv"},
                                               {"--runsc-arg", "--debug"},
                                               {"--docker"},
                                               {"--network", "none"}}) {
    std::vector<std::string> words = {"run", "-d", "--from", "none"};
    words.insert(words.end(), more.begin(), more.end());
    const command_output got = run(words);
    EXPECT_EQ(got.code, 2) << more[0] << got.err;
    EXPECT_NE(got.err.find(said), std::string::npos) << more[0] << got.err;
  }
  const command_output own =
      run({"run", "-d", "--from", "none", "--hostname", "h", "-l", "a=b", "--cwd", "/srv", "--timeout", "9"});
  EXPECT_NE(own.code, 2);
  EXPECT_NE(own.err.find("no snapshot of this name"), std::string::npos) << own.err;
}

TEST_F(Command, OneNameOnce) {
  ASSERT_EQ(run(run_words({"-d", "--id", "once"})).code, 0);
  const command_output again = run(run_words({"-d", "--id", "once"}));
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).size(), 1u);
  EXPECT_EQ(run({"rm", "once", "none"}).code, 4);
  EXPECT_EQ(run({"ls", "--ids"}).out, "");
}

TEST_F(Command, WithoutDocker) {
  ASSERT_EQ(run(run_words({"-d", "--id", "plain"})).code, 0);
  EXPECT_EQ(run({"wait", "plain"}).code, 0);
  EXPECT_EQ(run({"env", "plain"}).code, 1);
  const command_output docker = run({"docker", "plain", "--", "ps"});
  EXPECT_EQ(docker.code, 1);
  EXPECT_NE(docker.err.find("without Docker"), std::string::npos) << docker.err;
  EXPECT_EQ(run({"logs", "--daemon", "plain"}).code, 1);
  EXPECT_EQ(run({"rm", "--force", "plain"}).code, 0);
}

TEST_F(Command, ADaemonThatCannotStartIsTold) {
  const std::vector<std::string> sick{"--docker", "--restart", "no", "--dockerd-arg=--config-file=/no/such/config"};
  std::vector<std::string> words = run_words({"-d", "--wait"});
  words.insert(words.end(), sick.begin(), sick.end());
  const command_output waited = run(words);
  EXPECT_EQ(waited.code, 1);
  EXPECT_EQ(waited.out, "");
  EXPECT_NE(waited.err.find("/no/such/config"), std::string::npos) << waited.err;
  EXPECT_EQ(left_now(), "");

  words = run_words({"-d", "--id", "sick"});
  words.insert(words.end(), sick.begin(), sick.end());
  ASSERT_EQ(run(words).code, 0);
  const command_output wait = run({"wait", "--timeout", "60", "sick"});
  EXPECT_EQ(wait.code, 1) << wait.err;
  EXPECT_NE(wait.err.find("/no/such/config"), std::string::npos) << wait.err;
  const parsed_json status(run({"status", "--json", "sick"}).out);
  EXPECT_EQ(status.at({"docker", "state"}), "failed");
  EXPECT_EQ(status.at({"docker", "failure", "exit_code"}), "1");
  EXPECT_NE(run({"logs", "--daemon", "sick"}).out.find("/no/such/config"), std::string::npos);
  EXPECT_EQ(run({"docker", "sick", "--", "ps"}).code, 1);
  EXPECT_EQ(run({"exec", "sick", "--", "true"}).code, 0) << "the sandbox itself is well";
  EXPECT_EQ(run({"rm", "sick"}).code, 0);
}

TEST_F(Command, ARelativeRunscInTheEnvironmentIsTheCallersOwn) {
  ASSERT_EQ(::setenv("BERTH_TEST_RUNSC_AS", fs::relative(runsc_).c_str(), 1), 0);
  const std::string words = "BERTH_RUNSC=$BERTH_TEST_RUNSC_AS BERTH_ROOT=" + root_ + " " + berth_ +
                            " run -d --id near --network none --rootfs " + rootfs_;
  EXPECT_EQ(std::system((words + " > /dev/null").c_str()), 0) << words;
  EXPECT_EQ(run({"exec", "near", "--", "true"}).code, 0);
  EXPECT_EQ(run({"rm", "near"}).code, 0);
}

// An older release by its own word; that what is said of it is so was tried by hand.
TEST_F(Command, TheDoctorKnowsWhatOldRunscsLack) {
  const std::string directory = root_ + "-old", runsc = directory + "/runsc";
  fs::create_directory(directory);
  std::ofstream(runsc)
      << "#!/bin/sh\ncase $* in *version*) echo 'runsc version release-20240729.0'; echo 'spec: 1.1.0'; exit 0;; esac\nexec '"
      << runsc_ << "' \"$@\"\n";
  fs::permissions(runsc, fs::perms::owner_all);
  const command_output got = run({"--runsc", runsc, "doctor", "--rootfs", rootfs_, "--json"});
  EXPECT_EQ(got.code, 1);
  for (const char* said : {"runsc docker exec", "20250707", "runsc host data root", "20260520"})
    EXPECT_NE(got.out.find(said), std::string::npos) << said << "\n" << got.out;
  EXPECT_EQ(got.out.find("the pair works"), std::string::npos) << got.out;
  if (std::system("unshare -n test -e /proc/sys/net/core/rmem_default") == 0) {
    EXPECT_NE(got.out.find("runsc network"), std::string::npos) << got.out;
  }
  fs::remove_all(directory);
}

TEST_F(Command, DockerTellsOfKnownFailuresAndOfPathsThatAreTheHosts) {
  const std::string directory = root_ + "-host", shared = directory + "/shared", other = directory + "/other";
  fs::create_directories(shared);
  fs::create_directories(other);
  std::ofstream(shared + "/f") << "the host's\n";
  ASSERT_EQ(run(run_words({"-d", "--wait", "--id", "paths", "--docker", "--volume", shared})).code, 0);
  ASSERT_EQ(run({"docker", "paths", "--", "load"}, content(image_)).code, 0);
  for (const char* where : {"--inside", "--host"}) {
    const command_output same =
        run({"docker", where, "paths", "--", "run", "--rm", "-v", shared + ":/w", image_name_, "cat", "/w/f"});
    EXPECT_EQ(same.out, "the host's\n") << same.err;
    EXPECT_EQ(same.err.find("--volume"), std::string::npos) << same.err;
    const command_output lost = run(
        {"docker", where, "paths", "--", "run", "--rm", "-v", other + "/" + (where + 2) + ":/w", image_name_, "true"});
    EXPECT_EQ(lost.err.find("this path is the host's"), std::string::npos) << "no such path on either side";
    fs::create_directories(other + "/" + where);
    const command_output warned =
        run({"docker", where, "paths", "--", "run", "--rm", "-v", other + "/" + where + ":/w", image_name_, "true"});
    EXPECT_NE(warned.err.find("WRN this path is the host's"), std::string::npos) << warned.err;
    EXPECT_NE(warned.err.find("make the sandbox with --volume " + other + "/" + where), std::string::npos)
        << warned.err;
    // A sysctl that gVisor does not have: the nested runtime refuses it in words.
    const command_output refused = run({"docker", where, "paths", "--", "run", "--rm", "--sysctl",
                                        "net.ipv4.conf.all.rp_filter=1", image_name_, "true"});
    EXPECT_NE(refused.code, 0);
    EXPECT_NE(refused.err.find("leave it out (in compose: under sysctls)"), std::string::npos) << refused.err;
    // What the client says is known is told with its remedy.
    const command_output failed =
        run({"docker", where, "paths", "--", "network", "create", "--ipv6", "--subnet", "fd00:7::/64", "six"});
    EXPECT_NE(failed.code, 0);
    EXPECT_NE(failed.err.find("[BERTH-IPV6-NETWORK]\n"), std::string::npos) << failed.err;
    EXPECT_EQ(run({"docker", where, "paths", "--", "run", "--rm", image_name_, "sh", "-c", "exit 7"}).code, 7);
  }
  EXPECT_EQ(run({"rm", "paths"}).code, 0);
  fs::remove_all(directory);
}

TEST_F(Command, ADaemonThatIsKilledComesBack) {
  ASSERT_EQ(run(run_words({"-d", "--id", "again", "--docker", "--wait"})).code, 0);
  const std::string pid = parsed_json(run({"status", "--json", "again"}).out).at({"docker", "pid"});
  ASSERT_EQ(run({"exec", "again", "--", "kill", "-KILL", pid}).code, 0);
  EXPECT_TRUE(eventually([&] {
    const parsed_json status(run({"status", "--json", "again"}).out);
    return status.at({"docker", "state"}) == "ready" && status.at({"docker", "restarts"}) == "1";
  }));
  EXPECT_EQ(run({"docker", "again", "--", "ps"}).code, 0);
  EXPECT_EQ(run({"rm", "again"}).code, 0);
}

TEST_F(Command, NotReadyInTimeIsThreeAndLeavesNothing) {
  const command_output got = run(run_words({"-d", "--wait", "--docker", "--timeout", "20ms"}));
  EXPECT_EQ(got.code, 3) << got.err;
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(left_now(), "");
  const command_output foreground = run(run_words({"--docker", "--timeout", "20ms", "--", "true"}));
  EXPECT_EQ(foreground.code, 3) << foreground.err;
}

// A sandbox whose guest cannot be reached: its runsc lets it make no socket that the host sees.
TEST_F(Command, AGuestThatDoesNotAnswerEndsTheRunWithAReason) {
  char directory[] = "/tmp/berth-deaf-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string runsc = std::string(directory) + "/runsc";
  std::ofstream(runsc) << "#!/bin/sh\nfor word; do\n  shift\n"
                       << "  [ \"$word\" = --host-uds=create ] || set -- \"$@\" \"$word\"\ndone\nexec " << runsc_
                       << " \"$@\"\n";
  fs::permissions(runsc, fs::perms::owner_all);
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"-d", "--wait", "--docker"}, {"-d", "--", "true"}, {"--docker", "--", "true"}}) {
    std::vector<std::string> words = run_words({"--timeout", "5", "--runsc", runsc});
    words.insert(words.end(), how.begin(), how.end());
    const command_output got = run(words);
    EXPECT_EQ(got.code, 1) << got.err;
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find("guest does not answer"), std::string::npos) << got.err;
    EXPECT_EQ(left_now(), "");
  }
  fs::remove_all(directory);
}

TEST_F(Command, ALifetimeStopsWhatRuns) {
  // Without a command, in a root file system that has none, and with one.
  const fs::path bare = root_ + "-bare";
  fs::create_directories(bare);
  ASSERT_EQ(run({"run", "-d", "--id", "idle", "--rootfs", bare, "--network", "none", "--lifetime", "1500ms"}).code, 0);
  ASSERT_EQ(
      run(run_words({"-d", "--id", "busy", "--lifetime", "1", "--", "sh", "-c", "echo up; exec sleep 1000"})).code, 0);
  for (const char* id : {"idle", "busy"})
    ASSERT_TRUE(eventually([&] {
      return parsed_json(run({"status", "--json", id}).out).at({"state"}) == "stopped";
    })) << id;
  EXPECT_EQ(parsed_json(run({"status", "--json", "busy"}).out).at({"command", "exit_code"}), "143");
  EXPECT_EQ(run({"logs", "busy"}).out, "up\n");
  EXPECT_NE(run({"exec", "idle", "--", "true"}).code, 0);
  EXPECT_EQ(run({"rm", "idle", "busy"}).out, "idle\nbusy\n");
  fs::remove_all(bare);
}

TEST_F(Command, ALifetimeEndsTheForegroundAndTheWaitForDocker) {
  const command_output got = run(run_words({"--lifetime", "1", "--", "sh", "-c", "echo up; exec sleep 1000"}));
  EXPECT_EQ(got.code, 3);
  EXPECT_EQ(got.out, "up\n");
  EXPECT_NE(got.err.find("berth: the sandbox's lifetime is over"), std::string::npos) << got.err;
  EXPECT_EQ(run(run_words({"--lifetime", "1000", "--", "sh", "-c", "exit 5"})).code, 5);
  const command_output waited = run(run_words({"-d", "--wait", "--docker", "--lifetime", "20ms"}));
  EXPECT_EQ(waited.code, 3) << waited.err;
  EXPECT_EQ(waited.out, "");
  EXPECT_EQ(left_now(), "");
}

// A Docker that fails does not end the sandbox before its time.
TEST_F(Command, ALifetimeIsNotDockers) {
  ASSERT_EQ(run(run_words({"-d", "--id", "early", "--lifetime", "1000", "--docker", "--dockerd-arg=--none-such"})).code,
            0);
  EXPECT_EQ(run({"wait", "early"}).code, 1);
  EXPECT_EQ(parsed_json(run({"status", "--json", "early"}).out).at({"state"}), "running");
  EXPECT_EQ(run({"rm", "early"}).code, 0);
  EXPECT_EQ(left_now(), "");
}

TEST_F(Command, WhatIsNoSocketIsRefused) {
  ASSERT_EQ(run(run_words({"-d", "--id", "evil", "--docker", "--wait"})).code, 0);
  for (const std::string make : {"ln -s /var/run/docker.sock", "touch", "mkdir", "mkfifo"}) {
    const std::string path = "/run/berth/docker.sock";
    ASSERT_EQ(run({"exec", "evil", "--", "sh", "-c", "rm -rf " + path + "; " + make + " " + path}).code, 0);
    const command_output env = run({"env", "evil"});
    EXPECT_EQ(env.code, 1) << make;
    EXPECT_EQ(env.out, "") << make;
    EXPECT_EQ(run({"docker", "--timeout", "1", "--host", "evil", "--", "ps"}).out, "") << make;
  }
  EXPECT_EQ(run({"rm", "evil"}).code, 0);
}

// The number of a `berth run` in the foreground of an earlier boot may be anybody's by now.
TEST_F(Command, RmKillsNobodyWhoHasTheRunnersNumber) {
  const auto running = start(run_words({"--id", "box", "--", "sleep", "1000"}));
  ASSERT_TRUE(eventually([&] { return run({"exec", "box", "--", "true"}).code == 0; }));
  const std::string path = root_ + "/box/record.json";
  std::string boot = content("/proc/sys/kernel/random/boot_id"), text = content(path);
  boot.pop_back();
  ASSERT_NE(text.find(boot), std::string::npos) << text;
  EXPECT_EQ(::kill(running->pid(), SIGSTOP), 0);  // so that it does not end by itself with its sandbox
  std::ofstream(path) << text.replace(text.find(boot), boot.size(), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(run({"rm", "--force", "box"}).code, 0);
  const std::string state = content("/proc/" + std::to_string(running->pid()) + "/stat");
  EXPECT_NE(state.find(") T "), std::string::npos) << state;
  EXPECT_EQ(::kill(running->pid(), SIGCONT), 0);
  EXPECT_NE(running->finish().code, 0);
  EXPECT_EQ(left_now(), "");
}

// As `nft flush ruleset` takes them, when nftables.service is reloaded.
TEST_F(Command, RulesThatSomebodyFlushedAreMissed) {
  ASSERT_EQ(run({"run", "-d", "--id", "box", "--rootfs", rootfs_}).code, 0);
  const parsed_json before(run({"status", "--json", "box"}).out);
  EXPECT_EQ(before.at({"network", "rules"}), "true");
  const command_output well = run({"doctor"});
  EXPECT_EQ(well.code, 0) << well.out;
  EXPECT_NE(well.out.find("of 1 running sandboxes"), std::string::npos) << well.out;
  ASSERT_EQ(std::system(("nft delete table inet berth_" + before.at({"container_id"})).c_str()), 0);
  EXPECT_EQ(parsed_json(run({"status", "--json", "box"}).out).at({"network", "rules"}), "false");
  EXPECT_NE(run({"status", "box"}).out.find("nothing isolates it"), std::string::npos);
  const command_output sick = run({"doctor"});
  EXPECT_EQ(sick.code, 1);
  EXPECT_NE(sick.out.find("nothing isolates: box"), std::string::npos) << sick.out;
  EXPECT_EQ(run({"rm", "box"}).code, 0);
  EXPECT_EQ(run({"doctor"}).code, 0);
}

TEST_F(Command, RmEndsAForegroundRun) {
  const auto running = start(run_words({"--id", "front", "--", "sh", "-c", "echo up >&2; exec sleep 1000"}));
  ASSERT_TRUE(running->wait_for_stderr("up"));
  EXPECT_EQ(run({"logs", "front"}).code, 1);
  EXPECT_EQ(run({"rm", "front"}).code, 0);
  EXPECT_EQ(running->finish().code, 143);
}

TEST_F(Command, TwoAtOnce) {
  const auto one = start({"-q", "run", "-d", "--wait", "--id", "one", "--rootfs", rootfs_, "--docker"});
  const auto two = start({"-q", "run", "-d", "--wait", "--id", "two", "--rootfs", rootfs_, "--docker"});
  EXPECT_EQ(one->finish().out, "one\n");
  EXPECT_EQ(two->finish().out, "two\n");
  const parsed_json list(run({"ls", "--json"}).out);
  EXPECT_NE(list.at({"0", "network", "address"}), list.at({"1", "network", "address"}));
  EXPECT_NE(run({"docker", "one", "--", "info", "--format", "{{.Name}}"}).out, host_name() + "\n");
  EXPECT_EQ(run({"docker", "two", "--", "info", "--format", "{{.Name}}"}).out, "two\n");
  EXPECT_EQ(run({"rm", "one", "two"}).out, "one\ntwo\n");
}

}  // namespace
}  // namespace berth_test
