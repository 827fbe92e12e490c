// SPDX-License-Identifier: Apache-2.0
// The caller's own way to run commands: each one is a request event, which the caller answers by its op.
#pragma once

#include "executor.hpp"
#include "loop_signal.hpp"

#include <berth/process/output_buffer.hpp>

#include <mutex>
#include <unordered_map>

namespace berth::capi {

/// One request, from the event to the last answer.
struct caller_request {
  enum class stage { asked, running, ended };
  std::uint64_t id = 0;
  stage answered = stage::asked;  // under the executor's mutex: what the caller has said so far

  // Loop thread only: what has arrived there.
  explicit caller_request(stdio_options options)
      : io(std::move(options)), rings{output_ring(io.capture_limit), output_ring(io.capture_limit)} {}
  stdio_options io;
  output_ring rings[2];
  line_splitter lines[2];
  bool started = false;
  pid_t pid = 0;
  std::optional<exit_status> status;
  std::optional<error> failure;
  bool abandoned = false;
  loop_signal changed;

  bool ended() const noexcept { return status.has_value() || failure.has_value(); }
};

class caller_executor_core final : public executor_core, public executor {
 public:
  caller_executor_core(std::shared_ptr<loop_core> l, std::uint64_t user_data)
      : executor_core(std::move(l)), user_data_(user_data) {}

  // executor
  asio::awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) override;
  // executor_core
  result<executor*> place() override { return this; }
  bool takes_descriptors() const override { return false; }

  // The caller's answers, from any thread.
  result<void> started(std::uint64_t op, pid_t pid);
  result<void> output(std::uint64_t op, output_stream which, std::string_view data);
  result<void> exited(std::uint64_t op, exit_status status);
  result<void> failed(std::uint64_t op, error why);

  // Loop thread.
  void ask(std::uint32_t kind, const caller_request& request, std::int32_t code, std::optional<std::string> payload);
  void abandon(const std::shared_ptr<caller_request>& request);

 private:
  /// Checks the order of answers and carries `arrived` to the loop's thread, in that order.
  template <class Arrived>
  result<void> answer(std::uint64_t op, caller_request::stage from, bool also_asked,
                      std::optional<caller_request::stage> to, Arrived arrived);

  const std::uint64_t user_data_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<caller_request>> requests_;
};

}  // namespace berth::capi
