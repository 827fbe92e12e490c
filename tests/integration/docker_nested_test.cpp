// SPDX-License-Identifier: Apache-2.0
// What nested containers may ask for, through the nested runtime that stands before runc.
#include "support/docker_fixture.hpp"

#include <algorithm>

namespace {

using namespace berth;
using std::string;

class DockerNested : public berth_test::docker_test {
 protected:
  void SetUp() override {
    docker_test::SetUp();
    up();
    if (!HasFatalFailure()) load_image();
  }
  string run(std::vector<string> options, std::vector<string> command) {
    std::vector<string> args = {"run", "--rm"};
    args.insert(args.end(), options.begin(), options.end());
    args.push_back(image());
    args.insert(args.end(), command.begin(), command.end());
    return docker(std::move(args));
  }
  /// The error of a run that must fail.
  string refused(std::vector<string> options) {
    std::vector<string> args = {"run", "--rm"};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {image(), "true"});
    auto ran = loop_.run(run_docker(*box_, std::move(args), deadline_after(seconds(120))));
    return ran ? "it ran" : ran.error().to_string();
  }
  bool told(std::string_view what) {
    return std::any_of(daemon_lines_.begin(), daemon_lines_.end(), [&](const string& line) {
      return line.starts_with("berth: ") && line.find(what) != string::npos;
    });
  }
};

TEST_F(DockerNested, ContainersGetWhatTheSandboxHasAndAreToldOfTheRest) {
  // No container keeps another name than runc's: the data root may meet a sandbox without berth's.
  const string id = docker({"create", image(), "true"});
  EXPECT_EQ(docker({"inspect", "--format", "{{.HostConfig.Runtime}}", id}), "runc");

  const string capabilities = run({"--privileged"}, {"grep", "CapBnd", "/proc/self/status"});
  EXPECT_EQ(capabilities, shell(*box_, "grep CapBnd /proc/self/status")) << "all that the sandbox has";
  EXPECT_NE(run({"--cap-add", "ALL"}, {"echo", "ran"}), "");
  EXPECT_EQ(run({"--ulimit", "memlock=-1"}, {"sh", "-c", "ulimit -l"}), "unlimited");
  EXPECT_EQ(run({"--ulimit", "rtprio=9"}, {"echo", "ran"}), "ran");
  EXPECT_TRUE(told("gVisor has no RLIMIT_RTPRIO"));

  EXPECT_EQ(
      run({"--sysctl", "net.ipv6.conf.all.disable_ipv6=1", "--sysctl", "net.core.somaxconn=4096"}, {"echo", "ran"}),
      "ran");
  EXPECT_TRUE(told("gVisor cannot take IPv6 away"));
  EXPECT_TRUE(told("net.core.somaxconn=4096"));
  EXPECT_EQ(run({"--sysctl", "net.ipv4.ip_forward=1"}, {"cat", "/proc/sys/net/ipv4/ip_forward"}), "1");
  const string words = refused({"--sysctl", "net.ipv4.conf.all.rp_filter=1"});
  EXPECT_NE(words.find("gVisor has no kernel parameter net.ipv4.conf.all.rp_filter"), string::npos) << words;

  EXPECT_NE(run({"-v", "/:/host:ro,rslave"}, {"ls", "/host/usr"}).find("bin"), string::npos);
  const string running = docker({"run", "-d", image(), "sleep", "100"});
  EXPECT_EQ(docker({"exec", "--privileged", running, "grep", "CapBnd", "/proc/self/status"}), capabilities);
  docker({"rm", "-f", running});
}

TEST_F(DockerNested, BuildKitTakesTheSameWay) {
  down();
  make();
  ASSERT_TRUE(box_);
  options_.plan.wrap_runc = docker_plan_options::runc_wrapper::always;
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  // Masked directories are mounts; the nested runtime takes them out, for a build's steps as for a run.
  const string look = "! grep -q ' /sys/firmware ' /proc/mounts && echo plain";
  EXPECT_EQ(run({}, {"sh", "-c", look}), "plain");
  ASSERT_EQ(shell(*box_, "mkdir /build && cat > /build/Dockerfile <<'END'\nFROM " + image() + "\nRUN " + look +
                             " > /seen\nEND"),
            "");
  const string built = shell(*box_, "DOCKER_BUILDKIT=1 docker build -q -t built /build 2>&1");
  EXPECT_NE(built.find("sha256:"), string::npos) << built;
  EXPECT_EQ(docker({"run", "--rm", "built", "cat", "/seen"}), "plain");
}

TEST_F(DockerNested, AContainerOverItsMemoryLimitIsKilledAndDockerKnowsWhy) {
  const auto ended = [&](const string& id) {
    docker({"wait", id});
    return docker({"inspect", "--format", "{{.State.OOMKilled}} {{.State.ExitCode}}", id});
  };
  // sort keeps its input in memory.
  const string greedy = "yes 0123456789012345678901234567890123456789 | head -c 150m | sort > /dev/null; echo survived";
  const string over = docker({"run", "-d", "--memory", "48m", image(), "sh", "-c", greedy});
  EXPECT_EQ(ended(over), "true 137");
  EXPECT_EQ(docker({"logs", over}), "");
  EXPECT_TRUE(told("container " + over + " was over its memory limit of 48 MiB and is killed"));
  // The same container, once more.
  docker({"start", over});
  EXPECT_EQ(ended(over), "true 137");

  // Who waits for one of its processes hears of the end.
  const string waiting = docker({"run", "-d", "--memory", "48m", image(), "sleep", "1000"});
  EXPECT_NE(shell(*box_, "timeout 60 docker exec " + waiting + " sh -c '" + greedy + "' >/dev/null 2>&1 || echo $?"),
            "124");
  EXPECT_EQ(ended(waiting), "true 137");

  // With enough of it, and where files are what takes the room, nothing is killed.
  EXPECT_EQ(run({"--memory", "400m"}, {"sh", "-c", greedy}), "survived");
  // Ten megabytes that eight processes share, each of which has them resident by its own count.
  const string sharing =
      "head -c 100m /dev/zero > /file; head -c 60m /dev/zero > /data/file; x=$(yes | head -c 10m); "
      "for i in 1 2 3 4 5 6 7; do (sleep 2; :) & done; wait; echo survived";
  EXPECT_EQ(run({"--memory", "48m", "-v", "files:/data"}, {"sh", "-c", sharing}), "survived");

  // A limit that comes later counts, as does one that is changed.
  const string later = docker({"run", "-d", image(), "sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; " + greedy});
  docker({"update", "--memory", "400m", "--memory-swap", "400m", later});
  docker({"update", "--memory", "48m", "--memory-swap", "48m", later});
  docker({"exec", later, "touch", "/go"});
  EXPECT_EQ(ended(later), "true 137");
  docker({"rm", over, later, waiting});
  // Those who watch go with what they watch.
  const string watchers = "grep -ls ^berth-memory /proc/[0-9]*/comm | sed 's/comm$/stat/' | xargs -r cat";
  EXPECT_EQ(shell(*box_, "for i in 1 2 3 4 5 6 7 8 9 10; do [ -z \"$(" + watchers + ")\" ] && exit; sleep 0.5; done; " +
                             watchers),
            "");
}

TEST_F(DockerNested, AFirstProcessThatIsLostBeforeItsStartIsMadeAgain) {
  // A runc whose first container process is gone when create returns, as an interrupted open(2) leaves it.
  const string set_up = R"sh(cat > /lossy <<'END'
#!/bin/sh
runc=$(sed -n 's/^runc //p' /run/berth-docker/runtime.real)
pid= last= verb=
for word; do
  [ "$last" = --pid-file ] && pid=$word
  case $word in create) verb=create ;; esac
  last=$word
done
"$runc" "$@" || exit
if [ "$verb" = create ] && [ ! -e /lost ]; then
  kill -9 "$(cat "$pid")" && : > /lost
  while [ -e "/proc/$(cat "$pid")/exe" ]; do sleep 0.01; done
fi
END
chmod 755 /lossy && cp /run/berth-docker/runtime /run/berth-docker/runtime.real && echo 'runc /lossy' > /run/berth-docker/runtime)sh";
  ASSERT_EQ(shell(*box_, set_up), "");
  EXPECT_EQ(run({}, {"sh", "-c", "echo ran; ip -o -4 addr show eth0 | grep -c inet"}), "ran\n1");
  EXPECT_EQ(shell(*box_, "ls /lost"), "/lost");
}

TEST_F(DockerNested, ARunWhoseFirstProcessIsInterruptedIsBegunAgain) {
  // A runc whose first container has open(2) of the FIFO, as runc's first process opens it, end with EINTR.
  const string set_up = "docker create --name base " + image() + R"sh( >/dev/null && mkdir -p /n/rootfs && cd /n &&
docker export base | tar -C rootfs -xf - && runc spec && cat > /interrupted <<'END'
#!/bin/sh
runc=$(sed -n 's/^runc //p' /run/berth-docker/runtime.real)
case " $* " in
  *" run "*)
    if [ ! -e /n/first ]; then
      cp config.json /n/first
      sed -i 's/"linux": *{/"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["openat"],"action":"SCMP_ACT_ERRNO","errnoRet":4,"args":[{"index":2,"value":524289,"op":"SCMP_CMP_EQ"}]}]},/' config.json
      "$runc" "$@"; code=$?
      cp /n/first config.json
      exit $code
    fi ;;
esac
exec "$runc" "$@"
END
chmod 755 /interrupted && cp /run/berth-docker/runtime /run/berth-docker/runtime.real && echo 'runc /interrupted' > /run/berth-docker/runtime
sed -i 's/"terminal": true/"terminal": false/; s/"noNewPrivileges": true/"noNewPrivileges": false/; s#"sh"#"sh","-c","echo started >> /n-started; wc -l < /n-started; cat; exit 7"#; s/"readonly": true/"readonly": false/' config.json)sh";
  ASSERT_EQ(shell(*box_, set_up), "");
  const string there = "cd /n && export PATH=/run/berth-docker/bin:$PATH && ";
  EXPECT_EQ(shell(*box_, there + "runc --log log --log-format json run one </dev/null; echo $?"), "1\n7")
      << shell(*box_, "cat /n/log");
  EXPECT_NE(shell(*box_, "cat /n/first /n/log").find("container process is already dead"), string::npos)
      << "the premise: it was interrupted";
  // An end of the program's own is its end.
  EXPECT_EQ(shell(*box_, there + "runc --log log run two </dev/null; echo $?"), "2\n7");
  // What runc has read of an input is lost, so that it is not run without it.
  EXPECT_EQ(
      shell(*box_,
            there + "rm first; echo given | runc --log lost run three; echo $?; cat lost | grep -c 'already dead'"),
      "1\n1");
  EXPECT_EQ(shell(*box_, there + "echo given | runc --log log run four; echo $?"), "3\ngiven\n7");
  // A signal reaches the program.
  EXPECT_EQ(
      shell(
          *box_,
          there +
              "sed -i 's#\"sh\",.*#\"sh\",\"-c\",\"trap \\\\\"exit 9\\\\\" TERM; echo up; "
              "while :; do sleep 0.1; done\"#' config.json && mkfifo up && { runc --log log run five </dev/null > up & } && "
              "read line < up && kill -TERM $! && wait $!; echo $?"),
      "9");
}

TEST_F(DockerNested, SixHundredContainersStartAndStillAnother) {
  // By the nested runtime itself, create and start as containerd calls them: dockerd takes ten times as long for each.
  const string starts = "docker create --name base " + image() + R"sh( >/dev/null && mkdir -p /n/rootfs && cd /n &&
docker export base | tar -C rootfs -xf - && runc spec && sed -i 's/"terminal": true/"terminal": false/; s#"sh"#"/bin/true"#' config.json
many() {
  mkdir "$1" && cp config.json "$1" && cd "$1" && sed -i 's#"rootfs"#"/n/rootfs"#' config.json || return
  i=0
  while [ $i -lt 150 ]; do
    i=$((i + 1)); id=$1-$i
    runc create --pid-file pid "$id" </dev/null >out 2>&1 && runc start "$id" >>out 2>&1 || { echo "$id: $(cat out)"; }
    runc delete --force "$id" >/dev/null 2>&1
  done
}
PATH=/run/berth-docker/bin:$PATH
for worker in a b c d; do ( many $worker ) & done
wait)sh";
  command all;
  all.argv = {"sh", "-c", starts};
  auto ran = exec(*box_, std::move(all), {}, deadline_after(seconds(800)));
  ASSERT_TRUE(ran) << ran.error().to_string();
  EXPECT_EQ(ran->out, "") << ran->err;
  EXPECT_EQ(run({}, {"echo", "another"}), "another");
}

}  // namespace
