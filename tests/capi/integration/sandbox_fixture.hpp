// SPDX-License-Identifier: Apache-2.0
// A sandbox on real runsc, through the C ABI. Needs root, BERTH_RUNSC, BERTH_TEST_ROOTFS and a berth-init (BERTH_INIT, or
// BERTH_BUILD's).
#pragma once

#include "../support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

namespace capi_test {

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

inline std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

class SandboxTest : public testing::Test {
 protected:
  SandboxTest() {
    berth_loop_options options;
    berth_loop_options_init(&options, sizeof options);
    options.log_level = BERTH_LOG_DEBUG;
    loop_ = std::make_unique<Loop>(&options);
  }
  void SetUp() override {
    rootfs_ = variable("BERTH_TEST_ROOTFS");
    ASSERT_FALSE(rootfs_.empty()) << "BERTH_TEST_ROOTFS is not set";
    ASSERT_FALSE(variable("BERTH_RUNSC").empty()) << "BERTH_RUNSC is not set";
    ASSERT_EQ(geteuid(), 0u) << "needs root";
    char name[] = "/tmp/berth-capi-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    std::string init = variable("BERTH_INIT");
    if (init.empty()) init = variable("BERTH_BUILD") + "/libexec/berth/berth-init";
    where_ = "{\"root\":" + in_quotes(root_) + ",\"init\":" + in_quotes(init) + ",\"network_pool\":\"10.219.0.0/16\"}";
  }
  void TearDown() override {
    Error error;
    if (box_ != nullptr) {
      std::uint64_t op = 0;
      if (berth_sandbox_terminate(box_, nullptr, 0, nullptr, &op, error.slot()) == BERTH_OK) done(op);
      berth_sandbox_free(box_);
    }
    loop_.reset();
    std::error_code ec;
    std::filesystem::remove_all(root_, ec);
  }

  /// DONE of an operation; log lines are shown and kept.
  Event done(std::uint64_t op) {
    Event e = loop_->done(op);
    return e;
  }
  std::string logged() {
    std::string all;
    for (const Event& e : loop_->others) {
      if (e.kind == BERTH_EVENT_LOG) all += e.payload + "\n";
    }
    return all;
  }
  Event create(const std::string& more) {
    Error error;
    const std::string config = "{\"rootfs\":" + in_quotes(rootfs_) + more + "}";
    std::uint64_t op = 0;
    EXPECT_EQ(berth_sandbox_create(loop_->get(), where_.data(), where_.size(), config.data(), config.size(), nullptr,
                                   &box_, &op, error.slot()),
              BERTH_OK)
        << error.text();
    return done(op);
  }
  Event exec(const std::string& options) {
    Error error;
    std::uint64_t op = 0;
    EXPECT_EQ(berth_sandbox_exec(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_OK)
        << error.text();
    return done(op);
  }
  std::string id() {
    berth_buffer* text = nullptr;
    EXPECT_EQ(berth_sandbox_id(box_, &text, nullptr), BERTH_OK);
    return take(text);
  }

  std::unique_ptr<Loop> loop_;
  std::string rootfs_, root_, where_;
  berth_sandbox* box_ = nullptr;
};

}  // namespace capi_test
