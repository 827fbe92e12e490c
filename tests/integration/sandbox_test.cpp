// SPDX-License-Identifier: Apache-2.0
// A sandbox's life on real runsc: created, found again, used, removed; and the ways in which creation fails.
#include "support/sandbox_fixture.hpp"

#include <berth/base/file.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/spec/mounts.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace {

using namespace berth;

class SandboxLife : public berth_test::sandbox_test {};

TEST_F(SandboxLife, IsCreatedRunsCommandsAndGoes) {
  auto box = create(config());
  EXPECT_EQ(shell(*box, "echo hello"), "hello");
  auto state = loop_.run(box->state());
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(*state, sandbox_state::running);
  EXPECT_EQ(shell(*box, "cat /proc/1/comm; hostname"), "init\n" + box->id());
  shell(*box, "echo seen on the console > /proc/1/fd/1");
  auto console = box->logs(sandbox_log::init);
  ASSERT_TRUE(console) << console.error().to_string();
  EXPECT_EQ(*console, "seen on the console\n");
  EXPECT_EQ(*box->logs(sandbox_log::init, 8), "console\n");
  EXPECT_EQ(*box->logs(sandbox_log::daemon), "");
  terminate(*box);
  EXPECT_EQ(box->logs(sandbox_log::init).error().code, errc::not_found);
  auto gone = sandbox::attach(where_, box->id());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, errc::not_found);
  terminate(*box);  // again
  auto after = exec(*box, {"true"});
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, errc::not_found);
}

TEST_F(SandboxLife, IsFoundByItsIdAndListed) {
  sandbox_config first = config();
  first.id = "first.one";
  first.annotations = {{"role", "web"}};
  auto box = create(first);
  auto other = create(config());

  auto found = sandbox::attach(where_, "first.one");
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(shell(**found, "echo here"), "here");
  EXPECT_EQ((*found)->record().annotation("role"), "web");
  auto changed = loop_.run((*found)->annotate("role", "db"));
  EXPECT_TRUE(changed);
  EXPECT_TRUE(loop_.run((*found)->annotate("extra", "\xc3\xa9 \"quoted\"")));
  EXPECT_TRUE(loop_.run((*found)->annotate("extra", "")));

  auto list = list_sandboxes(where_);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].id, "first.one");
  EXPECT_EQ((*list)[0].annotation("role"), "db");
  EXPECT_EQ((*list)[0].annotations.size(), 1u);
  EXPECT_EQ((*list)[1].id, other->id());
  EXPECT_EQ((*list)[1].phase, record_phase::running);

  // By the other handle; this one sees it.
  terminate(**found);
  auto state = loop_.run(box->state());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, errc::not_found);
  terminate(*other);
}

TEST_F(SandboxLife, AnIdIsTakenOnce) {
  sandbox_config what = config();
  what.id = "one";
  auto box = create(what);
  auto again = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, errc::exists) << again.error().to_string();
  EXPECT_EQ(shell(*box, "echo unharmed"), "unharmed");
  terminate(*box);
  auto second = create(what);
  // The first one's handle does not speak for the second, which has its id.
  auto stale = loop_.run(box->state());
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, errc::not_found);
  terminate(*box);
  EXPECT_EQ(shell(*second, "echo there"), "there");
  terminate(*second);
}

TEST_F(SandboxLife, AnIdThatBeginsLikeAnotherIsAnother) {
  // runsc takes the beginning of an id for the id; berth must not.
  sandbox_config what = config();
  what.id = "web-1";
  auto box = create(what);
  auto part = sandbox::attach(where_, "web");
  ASSERT_FALSE(part);
  what.id = "web";
  auto shorter = create(what);
  terminate(*shorter);
  EXPECT_EQ(shell(*box, "echo still"), "still");
  terminate(*box);
}

TEST_F(SandboxLife, TwoAtOnceDoNotMeet) {
  std::shared_ptr<sandbox> boxes[2];
  result<std::shared_ptr<sandbox>> outcomes[2] = {error{}, error{}};
  int left = 2;
  for (int i = 0; i < 2; ++i) {
    boost::asio::co_spawn(loop_.context(), sandbox::create(where_, config(network_mode::sandbox)),
                          [&, i](std::exception_ptr e, result<std::shared_ptr<sandbox>> box) {
                            ASSERT_FALSE(e);
                            outcomes[i] = std::move(box);
                            --left;
                          });
  }
  while (left > 0) loop_.run_for(std::chrono::milliseconds(10));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(outcomes[i]) << outcomes[i].error().to_string();
    boxes[i] = *outcomes[i];
  }
  EXPECT_NE(boxes[0]->id(), boxes[1]->id());
  EXPECT_NE(boxes[0]->record().net->address(), boxes[1]->record().net->address());
  EXPECT_EQ(shell(*boxes[0], "echo zero > /tmp/mine; cat /tmp/mine"), "zero");
  EXPECT_EQ(shell(*boxes[1], "ls /tmp/mine 2>/dev/null || echo none"), "none");
  EXPECT_EQ(shell(*boxes[0], "hostname"), boxes[0]->id());
  EXPECT_EQ(shell(*boxes[1], "hostname"), boxes[1]->id());
  terminate(*boxes[0]);
  EXPECT_EQ(shell(*boxes[1], "echo on"), "on");
  terminate(*boxes[1]);
}

TEST_F(SandboxLife, TwoHundredInARowLeaveNothing) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  std::ptrdiff_t at_first = 0;
  for (int i = 0; i < 200; ++i) {
    auto box = create(config(i % 2 == 0 ? network_mode::sandbox : network_mode::none));
    ASSERT_TRUE(box) << i;
    if (i % 20 == 0) {
      EXPECT_EQ(shell(*box, "echo on"), "on");
    }
    terminate(*box);
    if (i == 10) at_first = descriptors();
  }
  EXPECT_LE(descriptors(), at_first);
  EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
}

TEST_F(SandboxLife, KnowsItsStates) {
  auto box = create(config());
  auto binary = box->runsc();
  ASSERT_TRUE(binary);
  const auto run = [&](result<runsc_argv> argv) {
    ASSERT_TRUE(argv);
    spawn_options options;
    options.argv = *argv;
    options.env = minimal_environment();
    auto done = loop_.run(run_process(options));
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->status.success()) << done->err;
  };
  run(runsc_pause_argv(*binary, box->globals(), box->record().container_id()));
  EXPECT_EQ(loop_.run(box->state()).value(), sandbox_state::paused);
  run(runsc_resume_argv(*binary, box->globals(), box->record().container_id()));
  EXPECT_EQ(loop_.run(box->state()).value(), sandbox_state::running);

  // init ends on SIGTERM, and the sandbox with it.
  (void)exec(*box, {"kill", "-TERM", "1"});
  auto stopped = loop_.run(box->wait_stopped(deadline_after(seconds(60))));
  ASSERT_TRUE(stopped) << stopped.error().to_string();
  EXPECT_EQ(loop_.run(box->state()).value(), sandbox_state::stopped);
  auto late = exec(*box, {"true"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, errc::sandbox_not_running) << late.error().to_string();
  terminate(*box);
}

TEST_F(SandboxLife, InitReapsOrphans) {
  auto box = create(config());
  shell(*box, "(sleep 0.1 &) ; (true &)");
  std::string zombies;
  for (int i = 0; i < 100; ++i) {
    zombies = shell(*box, "ps axo stat,comm | grep '^Z' || true");
    if (zombies.empty() && shell(*box, "pgrep sleep || true").empty()) break;
    loop_.run_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(zombies, "");
  terminate(*box);
}

TEST_F(SandboxLife, AStartThatFailsNamesACauseAndNothingThatIsGone) {
  // A runsc that crashes as soon as it is to start something.
  const std::string crashing = where_.root + "-runsc";
  std::ofstream(crashing) << "#!/bin/sh\ncase \" $* \" in *--bundle=*) kill -SEGV $$ ;; esac\nexec " << where_.runsc
                          << " \"$@\"\n";
  ASSERT_EQ(::chmod(crashing.c_str(), 0755), 0);
  environment where = where_;
  where.runsc = crashing;
  sandbox_config what = config(network_mode::none);
  what.id = "f1";
  auto box = loop_.run(sandbox::create(where, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().message, "cannot start the sandbox f1: runsc was killed by signal 11 and said nothing");
  EXPECT_EQ(box.error().path, crashing);
  EXPECT_NE(box.error().hint.find("--version"), std::string::npos) << box.error().to_string();
  std::filesystem::remove(crashing);

  // A disk that is full when runsc begins to write.
  const std::string disk = where_.root + "-disk";
  ASSERT_EQ(host_shell("mkdir " + disk + " && mount -t tmpfs -o size=8m berth-test " + disk + " && chmod 700 " + disk),
            "");
  where = where_;
  where.root = disk;
  where.on_phase = [&](std::string_view phase) {
    if (phase == "runsc") host_shell("cat /dev/zero > " + disk + "/.filled");
  };
  box = loop_.run(sandbox::create(where, what));
  EXPECT_EQ(host_shell("umount " + disk + " && rmdir " + disk), "");
  ASSERT_FALSE(box);
  EXPECT_NE(box.error().to_string().find("the disk is full where " + disk), std::string::npos)
      << box.error().to_string();
  EXPECT_EQ(box.error().path.find(disk), std::string::npos) << box.error().path;
}

TEST_F(SandboxLife, ARunscThatFailsSaysWhyAndLeavesNothing) {
  sandbox_config what = config(network_mode::sandbox);
  what.edit_spec = [](spec_builder& spec) {
    return spec_mounts(spec).set({"/broken", "bind", "/nonexistent/source", {"rbind"}});
  };
  auto box = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, errc::runsc_failed) << box.error().to_string();
  EXPECT_NE(box.error().to_string().find("/nonexistent/source"), std::string::npos) << box.error().to_string();

  // One that is no runsc at all.
  environment broken = where_;
  broken.runsc = "/bin/false";
  auto none = loop_.run(sandbox::create(broken, config()));
  ASSERT_FALSE(none);
  broken.runsc = "/nonexistent/runsc";
  none = loop_.run(sandbox::create(broken, config()));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::runsc_not_found) << none.error().to_string();
}

TEST_F(SandboxLife, ARunscThatBreaksOffHalfwayLeavesNothing) {
  // It starts the sandbox and then fails, as when its disk is full.
  const std::string script = where_.root + "/runsc";
  {
    std::ofstream out(script);
    out << "#!/bin/sh\n"
        << where_.runsc << " \"$@\"\ncode=$?\n"
        << "case \" $* \" in *' run '*) echo 'made to fail' >&2; exit 3;; esac\nexit $code\n";
  }
  ::chmod(script.c_str(), 0700);
  environment broken = where_;
  broken.runsc = script;
  auto box = loop_.run(sandbox::create(broken, config(network_mode::sandbox)));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, errc::runsc_failed) << box.error().to_string();
  EXPECT_NE(box.error().to_string().find("made to fail"), std::string::npos) << box.error().to_string();
  ::unlink(script.c_str());
}

TEST_F(SandboxLife, WhatIsMissingIsNamed) {
  sandbox_config what = config();
  what.rootfs = "/nonexistent/rootfs";
  auto box = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, errc::not_found);
  EXPECT_EQ(box.error().path, "/nonexistent/rootfs");

  what = config(network_mode::path);
  what.network_path = "/run/netns/nonexistent-of-berth";
  box = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, errc::not_found);

  environment where = where_;
  where.init = "/nonexistent/init";
  box = loop_.run(sandbox::create(where, config()));
  ASSERT_FALSE(box);
  EXPECT_NE(box.error().hint.find("BERTH_INIT"), std::string::npos);

  what = config();
  what.runsc_args = {"--no-such-option"};
  box = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, errc::runsc_flag_unsupported) << box.error().to_string();

  what = config();
  what.edit_spec = [](spec_builder&) -> result<void> { return make_error(errc::state, "test", "no thanks"); };
  box = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().message, "no thanks");
}

TEST_F(SandboxLife, ACreationThatIsCancelledLeavesNothing) {
  // At each phase in turn: the signal comes from within it.
  for (const std::string wanted : {"directories", "shared", "network", "root", "bundle", "runsc"}) {
    boost::asio::cancellation_signal cancel;
    environment where = where_;
    bool sent = false;  // the undoing has phases of the same names
    where.on_phase = [&](std::string_view phase) {
      if (phase == wanted && !std::exchange(sent, true)) {
        boost::asio::post(loop_.context(), [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
      }
    };
    bool done = false;
    boost::asio::co_spawn(loop_.context(), sandbox::create(where, config(network_mode::sandbox)),
                          boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e,
                                                                                 result<std::shared_ptr<sandbox>> box) {
                            done = true;
                            EXPECT_FALSE(e);
                            if (e) return;
                            EXPECT_FALSE(box) << wanted;
                            if (!box) {
                              EXPECT_EQ(box.error().code, errc::cancelled) << wanted << ": " << box.error().to_string();
                            }
                          }));
    for (int i = 0; i < 3000 && !done; ++i) loop_.run_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(done) << wanted;
    EXPECT_EQ(berth_test::left_behind(where_.root, before_), "") << wanted;
  }
}

TEST_F(SandboxLife, ACreationThatThrowsLeavesNothing) {
  environment where = where_;
  where.on_phase = [](std::string_view phase) {
    if (phase == "runsc") throw std::runtime_error("of the caller's");
  };
  EXPECT_THROW((void)loop_.run(sandbox::create(where, config(network_mode::sandbox))), std::runtime_error);
  EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
}

// As in a container: there rmdir says EROFS of what is not there too.
TEST_F(SandboxLife, CgroupsOnReadOnlyMountsAreLeftOnlyWhereTheyAre) {
  const auto mounts = detail::parse_cgroup_mounts(read_system_file("/proc/self/mountinfo", 1u << 20));
  ASSERT_FALSE(mounts.empty());
  const std::string name = "/berth-zzzzzreadonly";
  const auto removed_there = [&] {  // the errno of the removal in a mount namespace without writable cgroup mounts
    const pid_t child = ::fork();
    if (child == 0) {
      if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        ::_exit(255);
      for (const std::string& mount : mounts)
        if (::mount(nullptr, mount.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) ::_exit(254);
      berth_test::loop loop;
      const auto removed = loop.run(detail::remove_cgroups(name, deadline_after(seconds(30))));
      ::_exit(removed ? 0 : removed.error().sys_errno);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(removed_there(), 0);
  ASSERT_EQ(::mkdir((mounts.front() + name).c_str(), 0755), 0);
  EXPECT_EQ(removed_there(), EROFS);
  EXPECT_TRUE(loop_.run(detail::remove_cgroups(name, deadline_after(seconds(30)))));
  struct stat info {};
  EXPECT_NE(::stat((mounts.front() + name).c_str(), &info), 0);
}

TEST_F(SandboxLife, ADamagedRecordIsShownAndCanBeRemoved) {
  sandbox_config what = config(network_mode::sandbox);
  what.id = "hurt";
  auto box = create(what);
  { std::ofstream(box->record().directory + "/record.json") << "{\"version\": 1, \"id\": \"hu"; }
  auto list = list_sandboxes(where_);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_TRUE((*list)[0].damaged);
  EXPECT_EQ((*list)[0].id, "hurt");

  // Garbage collection keeps its hands off, of its network too.
  auto removed = loop_.run(collect_garbage(where_));
  ASSERT_TRUE(removed) << removed.error().to_string();
  EXPECT_TRUE(removed->sandboxes.empty() && removed->orphans.empty());
  EXPECT_EQ(shell(*box, "echo lives"), "lives");

  auto found = sandbox::attach(where_, "hurt");
  ASSERT_TRUE(found);
  auto state = loop_.run((*found)->state());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, errc::record_damaged);
  terminate(**found);
}

}  // namespace
