// SPDX-License-Identifier: Apache-2.0
// What a sandbox must not do to its host: write to the root file system, trick the host through the shared directory, use
// more than its limits.
#include "support/sandbox_fixture.hpp"

#include <berth/readiness/probe.hpp>
#include <berth/sandbox/detail/host_resources.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace {

using namespace berth;

class SandboxIsolation : public berth_test::sandbox_test {
 protected:
  static std::string slurp(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  probe_outcome connect(const std::string& path) {
    socket_address where;
    where.unix_path = path;
    where.guarded = true;
    auto question = make_connect_probe(where);
    return loop_.run(question->ask(deadline_after(seconds(10))));
  }
  static int connect_plainly(const std::string& path) {  // as a Docker client would: errno or 0
    const unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }
  // Listens on a socket inside, in the background.
  static constexpr const char* listener =
      "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,sockaddr_un($ARGV[0])) or die; listen(S,5); "
      "open(P,\">/tmp/listens\"); close P; while (accept(C,S)) { syswrite(C,\"from inside\\n\"); close C }' ";
  // Connects to a socket inside and prints what it says, or why not.
  static constexpr const char* connecter =
      "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,sockaddr_un($ARGV[0])) or die \"refused: $!\\n\"; "
      "print <S>' ";
};

TEST_F(SandboxIsolation, TheRootFileSystemIsNeverWrittenTo) {
  const std::string listing =
      "cd " + rootfs_ + " && find . -printf '%p %y %m %U %G %s %T@ %C@ %l\\n' | sort | sha256sum";
  const std::string before = host_shell(listing);
  auto box = create(config());
  EXPECT_EQ(shell(*box,
                  "echo pwned > /etc/passwd && echo new > /new-file && mkdir -p /a/b/c && rm -rf /usr/share/doc && "
                  "chmod 777 /etc && mv /etc/hosts.allow /x 2>/dev/null; cat /etc/passwd /new-file; ls -d /a/b/c; "
                  "ls /usr/share/doc 2>/dev/null | wc -l"),
            "pwned\nnew\n/a/b/c\n0");
  EXPECT_EQ(host_shell(listing), before);
  terminate(*box);
  EXPECT_EQ(host_shell(listing), before);
  // And the next one begins anew.
  auto next = create(config());
  EXPECT_EQ(shell(*next, "ls /new-file 2>/dev/null || head -c 5 /etc/passwd"), "root:");
  terminate(*next);
}

TEST_F(SandboxIsolation, ARootFileSystemOfOneFileWillDoAndIsLeftAsItIs) {
  // No /etc, no /run, no /proc: all mount points are missing, and runsc makes them on the host's side.
  const std::string small = where_.root + "/.rootfs";
  ASSERT_EQ(host_shell("mkdir -p " + small + "/bin && cp " + rootfs_ + "/usr/bin/busybox " + small +
                       "/bin/ && chmod 0711 " + small + " && echo ok"),
            "ok");
  const std::string listing = "cd " + small + " && find . -printf '%p %y %m %U %G %s %T@ %C@ %l\n' | sort";
  const std::string before = host_shell(listing);
  sandbox_config what = config();
  what.rootfs = small;
  what.mounts = {{small + "/bin", "/a/deep/place", true}};
  auto box = create(what);
  auto told = exec(*box, {"/bin/busybox", "sh", "-c",
                          "busybox ls -d /run/berth /a/deep/place /etc/hosts && busybox stat -c %a / && echo x > /y"});
  ASSERT_TRUE(told) << told.error().to_string();
  EXPECT_EQ(told->out, "/a/deep/place\n/etc/hosts\n/run/berth\n711\n") << told->err;
  EXPECT_EQ(host_shell(listing), before);
  // Two from one root file system at once.
  auto other = create(what);
  terminate(*box);
  auto still = exec(*other, {"/bin/busybox", "cat", "/etc/hostname"});
  ASSERT_TRUE(still) << still.error().to_string();
  EXPECT_EQ(still->out, other->id() + "\n");
  terminate(*other);
  EXPECT_EQ(host_shell(listing), before);
  host_shell("rm -r " + small);
}

TEST_F(SandboxIsolation, AStateDirectoryOnAnOverlayWillDo) {
  // As in a container whose state directory is no volume: such a file system cannot be the upper one of another overlay.
  const std::string scratch = where_.root + "-scratch", small = scratch + "/rootfs";
  ASSERT_EQ(host_shell("mkdir -p -m 0700 " + scratch + "/lower " + scratch + "/upper " + scratch + "/work " + small +
                       "/bin && cp " + rootfs_ + "/usr/bin/busybox " + small +
                       "/bin/ && mount -t overlay overlay -o lowerdir=" + scratch + "/lower,upperdir=" + scratch +
                       "/upper,workdir=" + scratch + "/work " + where_.root + " && echo ok"),
            "ok");
  const std::string listing = "cd " + small + " && find . -printf '%p %y %m %T@ %C@\\n' | sort";
  const std::string before = host_shell(listing);
  sandbox_config what = config(network_mode::sandbox);
  what.rootfs = small;
  auto box = create(what);
  auto told = exec(*box, {"/bin/busybox", "cat", "/etc/hostname"});
  ASSERT_TRUE(told) << told.error().to_string();
  EXPECT_EQ(told->out, box->id() + "\n") << told->err;
  EXPECT_EQ(host_shell(listing), before);
  terminate(*box);
  EXPECT_EQ(host_shell(listing), before);
  EXPECT_EQ(host_shell("umount " + where_.root + " && rm -rf " + scratch + " && echo ok"), "ok");
}

TEST_F(SandboxIsolation, BoundDirectoriesAreSharedAndReadOnlyWhereAsked) {
  host_shell("mkdir " + where_.root + "/.rw " + where_.root + "/.ro && echo data > " + where_.root + "/.ro/file");
  sandbox_config what = config();
  what.mounts = {{where_.root + "/.rw", "/rw", false}, {where_.root + "/.ro", "/ro", true}};
  auto box = create(what);
  EXPECT_EQ(shell(*box, "echo out > /rw/file; cat /ro/file; echo no > /ro/file 2>/dev/null || echo kept"),
            "data\nkept");
  EXPECT_EQ(slurp(where_.root + "/.rw/file"), "out\n");
  EXPECT_EQ(slurp(where_.root + "/.ro/file"), "data\n");
  EXPECT_NE(shell(*box, "echo no > /.berth/init 2>/dev/null || echo kept").find("kept"), std::string::npos);
  terminate(*box);
  EXPECT_EQ(slurp(where_.root + "/.rw/file"), "out\n");  // what was bound is not removed
  host_shell("rm -r " + where_.root + "/.rw " + where_.root + "/.ro");
}

TEST_F(SandboxIsolation, ASocketInTheSharedDirectoryIsReachedFromTheHost) {
  auto box = create(config());
  command listen;
  listen.argv = {"sh", "-c", std::string(listener) + "/run/berth/own.sock"};
  auto running = loop_.run(box->start(listen, {}));
  ASSERT_TRUE(running);
  for (int i = 0; i < 600 && shell(*box, "test -e /tmp/listens && echo yes") != "yes"; ++i) {
    loop_.run_for(std::chrono::milliseconds(50));
  }
  const probe_outcome outcome = connect(box->shared_path("own.sock"));
  EXPECT_EQ(outcome.what, probe_outcome::kind::ready) << outcome.reason.to_string();
  EXPECT_EQ(connect_plainly(box->shared_path("own.sock")), 0);
  running->reset();
  terminate(*box);
}

TEST_F(SandboxIsolation, ASymlinkInTheSharedDirectoryLeadsNowhere) {
  // A socket of the host's that the sandbox would like the host to take for Docker's.
  const std::string target = where_.root + "/.host.sock";
  const unique_fd host(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  target.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(host.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(host.get(), 4), 0);
  ASSERT_EQ(connect_plainly(target), 0);

  auto box = create(config());
  EXPECT_EQ(shell(*box, "ln -s " + target +
                            " /run/berth/docker.sock; mkdir /run/berth/sub; ln -s / /run/berth/sub/up; "
                            "ln -s /etc/passwd /run/berth/file; ls -I guest.sock /run/berth | wc -l"),
            "3");
  const std::string path = box->shared_path("docker.sock");
  struct stat info {};
  ASSERT_EQ(::lstat(path.c_str(), &info), 0);
  ASSERT_TRUE(S_ISLNK(info.st_mode));
  EXPECT_EQ(connect_plainly(path), ELOOP);      // any Docker client on the host
  const probe_outcome outcome = connect(path);  // berth's own
  EXPECT_EQ(outcome.what, probe_outcome::kind::fatal);
  EXPECT_EQ(::open(box->shared_path("file").c_str(), O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ELOOP);
  EXPECT_EQ(::open(box->shared_path("sub/up/etc/passwd").c_str(), O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ELOOP);
  // No socket where one must be: a file.
  EXPECT_EQ(shell(*box, "rm /run/berth/docker.sock; echo x > /run/berth/docker.sock"), "");
  EXPECT_NE(connect(path).what, probe_outcome::kind::ready);
  terminate(*box);
  ::unlink(target.c_str());
}

TEST_F(SandboxIsolation, TheSandboxReachesNoSocketOfTheHost) {
  auto box = create(config());
  // One that a host process made in the shared directory itself.
  const std::string path = box->shared_path("host.sock");
  const unique_fd host(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(host.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(host.get(), 4), 0);
  const std::string said = shell(*box, std::string(connecter) + "/run/berth/host.sock");
  EXPECT_NE(said.find("refused"), std::string::npos) << said;
  terminate(*box);
}

TEST_F(SandboxIsolation, TheSharedDirectoryIsSmallAndClosed) {
  auto box = create(config());
  EXPECT_NE(shell(*box, "dd if=/dev/zero of=/run/berth/big bs=1M count=32 2>&1 | grep -o 'No space left'"), "");
  struct stat info {};
  ASSERT_EQ(::stat(box->shared_path("big").c_str(), &info), 0);
  EXPECT_LE(info.st_size, 20 << 20);
  EXPECT_NE(
      shell(*box,
            "rm /run/berth/big; i=0; while [ $i -lt 100 ] && touch /run/berth/f$i 2>/dev/null; do i=$((i+1)); done; "
            "test $i -lt 64 && echo limited")
          .find("limited"),
      std::string::npos);
  // Others on the host do not get as far as its door.
  ASSERT_EQ(::stat(box->record().directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  std::string line;
  std::istringstream mounts(slurp("/proc/self/mountinfo"));
  while (std::getline(mounts, line) && line.find(box->record().shared()) == std::string::npos) {
  }
  for (const char* option : {"nosuid", "nodev", "noexec", "nosymfollow", "size=20480k", "nr_inodes=64"}) {
    EXPECT_NE(line.find(option), std::string::npos) << option << " in " << line;
  }
  terminate(*box);
}

TEST_F(SandboxIsolation, WithoutASharedDirectoryThereIsNone) {
  sandbox_config what = config();
  what.shared_directory = false;
  auto box = create(what);
  EXPECT_EQ(shell(*box, "grep -c ' /run/berth ' /proc/mounts || true"), "0");
  terminate(*box);
}

TEST_F(SandboxIsolation, LimitsAreInForce) {
  sandbox_config what = config();
  what.memory_bytes = 256u << 20;
  what.cpus = 0.5;
  auto box = create(what);
  const std::string cgroup = box->record().cgroups_path();
  const bool v1 = ::access("/sys/fs/cgroup/memory", F_OK) == 0;
  if (v1) {
    EXPECT_EQ(slurp("/sys/fs/cgroup/memory" + cgroup + "/memory.limit_in_bytes"), "268435456\n");
    EXPECT_EQ(slurp("/sys/fs/cgroup/cpu" + cgroup + "/cpu.cfs_quota_us"), "50000\n");
    EXPECT_EQ(slurp("/sys/fs/cgroup/cpu" + cgroup + "/cpu.cfs_period_us"), "100000\n");
  } else {
    EXPECT_EQ(slurp("/sys/fs/cgroup" + cgroup + "/memory.max"), "268435456\n");
    EXPECT_EQ(slurp("/sys/fs/cgroup" + cgroup + "/cpu.max"), "50000 100000\n");
  }
  EXPECT_EQ(shell(*box, "grep MemTotal /proc/meminfo | tr -s ' '"), "MemTotal: 262144 kB");
  // Two busy loops do not get more than half a cpu: they are throttled, once the host has that much left for them.
  long throttled = 0;
  for (int i = 0; i < 20 && throttled == 0; ++i) {
    (void)shell(*box, "timeout 2 sh -c 'while :; do :; done' & timeout 2 sh -c 'while :; do :; done'; wait");
    std::istringstream stat(slurp((v1 ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup") + cgroup + "/cpu.stat"));
    for (std::string key, value; stat >> key >> value;) {
      if (key == "nr_throttled") throttled = std::stol(value);
    }
  }
  EXPECT_GT(throttled, 0);
  // More memory than there is: the sandbox is killed, and nothing else.
  auto hog = exec(
      *box, {"sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=60 && dd if=/dev/zero of=/tmp/x bs=1M count=900"});
  EXPECT_FALSE(hog && hog->status.success());
  terminate(*box);
}

TEST_F(SandboxIsolation, WithoutLimitsThereIsNoCgroup) {
  auto box = create(config());
  EXPECT_TRUE(detail::find_cgroups("berth-" + box->record().token).value().empty());
  terminate(*box);
}

TEST_F(SandboxIsolation, SetupIsNoPlaceForTheHostsEnvironment) {
  ::setenv("BERTH_TEST_SECRET", "hidden", 1);
  auto box = create(config());
  EXPECT_EQ(shell(*box, "env | grep -c SECRET || true"), "0");
  EXPECT_EQ(host_shell("cat /proc/" + std::to_string(box->record().sandbox_process.pid) +
                       "/environ | grep -c SECRET || true"),
            "0");
  ::unsetenv("BERTH_TEST_SECRET");
  terminate(*box);
}

}  // namespace
