// SPDX-License-Identifier: Apache-2.0
#include "support/sandbox_fixture.hpp"

#include <berth/sandbox/find_runsc.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

namespace berth_test {

namespace {

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void sandbox_test::SetUp() {
  ASSERT_EQ(::geteuid(), 0u) << "these tests need root";
  where_.runsc = variable("BERTH_RUNSC");
  rootfs_ = variable("BERTH_TEST_ROOTFS");
  ASSERT_FALSE(where_.runsc.empty()) << "BERTH_RUNSC must name a runsc binary; scripts/test sets it";
  ASSERT_FALSE(rootfs_.empty()) << "BERTH_TEST_ROOTFS must name a root file system; scripts/test sets it";
  where_.init = variable("BERTH_INIT");
  if (where_.init.empty() && !variable("BERTH_BUILD").empty()) {
    where_.init = variable("BERTH_BUILD") + "/libexec/berth/berth-init";
  }
  char path[] = "/tmp/berth-XXXXXX";
  ASSERT_NE(::mkdtemp(path), nullptr);
  where_.root = path;
  where_.log = [](const berth::log_event& event) {
    std::fprintf(stderr, "%s\n", berth::format_console(event).c_str());
  };

  // What comes with the first sandbox and stays: the cache of runsc's flags, /run/netns, the loop's own descriptors.
  loop_.run_for(std::chrono::milliseconds(1));
  auto warm = berth::find_sandbox_runsc_blocking(where_);
  ASSERT_TRUE(warm) << warm.error().to_string();
  berth::spawn_options nothing;
  nothing.argv = {"true"};
  nothing.env = berth::minimal_environment();
  ASSERT_TRUE(loop_.run(berth::run_process(nothing)));
  before_ = census::take(where_.root);
  ready_ = true;
}

void sandbox_test::TearDown() {
  if (!ready_) return;
  loop_.drain(std::chrono::seconds(60));  // commands whose handles were destroyed are ended in the background
  const std::string left = left_behind(where_.root, before_);
  EXPECT_EQ(left, "");
  if (left.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(where_.root, ignored);
    return;
  }
  // A test that failed midway: what it made is removed all the same.
  auto records = berth::list_sandboxes(where_);
  for (const auto& record : *records) {
    auto box = berth::sandbox::attach(where_, record.id);
    if (box) (void)loop_.run((*box)->terminate());
  }
  (void)loop_.run(berth::collect_garbage(where_));
}

berth::sandbox_config sandbox_test::config(berth::network_mode network) const {
  berth::sandbox_config what;
  what.rootfs = rootfs_;
  what.network = network;
  return what;
}

std::shared_ptr<berth::sandbox> sandbox_test::create(berth::sandbox_config what) {
  auto box = loop_.run(berth::sandbox::create(where_, std::move(what)));
  if (!box) {
    ADD_FAILURE() << box.error().to_string();
    throw std::runtime_error("no sandbox");
  }
  return *box;
}

berth::result<berth::command_result> sandbox_test::exec(berth::sandbox& box, berth::command what,
                                                        berth::stdio_options io, berth::time_point deadline) {
  return loop_.run(berth::run_command(box, std::move(what), std::move(io), deadline));
}

berth::result<berth::command_result> sandbox_test::exec(berth::sandbox& box, std::vector<std::string> argv) {
  berth::command what;
  what.argv = std::move(argv);
  return exec(box, std::move(what));
}

std::string sandbox_test::shell(berth::sandbox& box, const std::string& script) {
  auto done = exec(box, {"sh", "-c", script});
  if (!done) return "error: " + done.error().to_string();
  std::string text = done->out;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (!done->status.success()) text += "[" + done->status.to_string() + "] " + done->err;
  return text;
}

void sandbox_test::terminate(berth::sandbox& box) {
  auto gone = loop_.run(box.terminate());
  EXPECT_TRUE(gone) << gone.error().to_string();
}

}  // namespace berth_test
