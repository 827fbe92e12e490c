// SPDX-License-Identifier: Apache-2.0
#include "support/docker_fixture.hpp"

#include <berth/sandbox/find_runsc.hpp>

#include <fcntl.h>

#include <cstdlib>

namespace berth_test {

using namespace berth;

docker_recipe docker_test::tmpfs_recipe() {
  docker_recipe recipe;
  recipe.data_root.emplace();
  return recipe;
}

void docker_test::make(docker_recipe recipe, network_mode network) {
  sandbox_config what = config(network);
  make(std::move(recipe), std::move(what));
}

void docker_test::make(docker_recipe recipe, sandbox_config what) {
  const log_sink sink = [this](const log_event& event) {
    std::fprintf(stderr, "%s\n", format_console(event).c_str());
    events_.push_back(event);
  };
  where_.log = sink;
  auto binary = find_sandbox_runsc_blocking(where_);
  ASSERT_TRUE(binary) << binary.error().to_string();
  auto added = add_docker(what, recipe, binary->version(), sink);
  ASSERT_TRUE(added) << added.error().to_string();
  box_ = create(std::move(what));
  auto options = docker_supervisor_options(*box_, recipe);
  ASSERT_TRUE(options) << options.error().to_string();
  options_ = std::move(*options);
  options_.log = sink;
  options_.on_daemon_line = [this](output_stream, std::string_view line) { daemon_lines_.emplace_back(line); };
}

result<void> docker_test::start() {
  daemon_ = std::make_unique<daemon_supervisor>(loop_.context().get_executor(), *box_, options_);
  return loop_.run(daemon_->start());
}

void docker_test::up() {
  make();
  ASSERT_TRUE(box_);
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
}

std::string docker_test::docker(std::vector<std::string> args) {
  std::string shown;
  for (const std::string& arg : args) shown += " " + arg;
  auto ran = loop_.run(run_docker(*box_, std::move(args), deadline_after(seconds(120))));
  if (!ran) {
    ADD_FAILURE() << "docker" << shown << ": " << ran.error().to_string();
    return {};
  }
  std::string text = ran->out;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string docker_test::image() {
  const char* name = std::getenv("BERTH_TEST_IMAGE_NAME");
  return name != nullptr ? name : "busybox:latest";
}

void docker_test::load_image() {
  const char* path = std::getenv("BERTH_TEST_IMAGE");
  ASSERT_NE(path, nullptr) << "BERTH_TEST_IMAGE must name a docker-load archive; scripts/test sets it";
  const unique_fd archive(::open(path, O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(archive) << path;
  stdio_options io;
  io.in = stdio_options::input::fd;
  io.in_fd = archive.get();
  auto loaded = exec(*box_, docker_client_command({"load"}), std::move(io), deadline_after(seconds(120)));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  ASSERT_TRUE(loaded->status.success()) << loaded->err;
}

void docker_test::down() {
  daemon_.reset();
  loop_.run_for(milliseconds(1));  // the supervisor's coroutines end
  if (box_) terminate(*box_);
  box_.reset();
}

void docker_test::TearDown() {
  down();
  sandbox_test::TearDown();
}

std::string docker_test::logged() const {
  std::string out;
  for (const log_event& event : events_) out += format_console(event) + "\n";
  return out;
}

const log_event* docker_test::find_log(std::string_view message) const {
  for (const log_event& event : events_)
    if (event.message == message) return &event;
  return nullptr;
}

std::string docker_test::field(const log_event& event, std::string_view key) {
  for (const log_field& one : event.fields)
    if (one.key == key) return one.value;
  return "(no field " + std::string(key) + ")";
}

}  // namespace berth_test
