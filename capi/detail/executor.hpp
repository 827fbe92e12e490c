// SPDX-License-Identifier: Apache-2.0
// Places where commands run, as the C ABI hands them out.
#pragma once

#include "loop.hpp"

#include <berth/process/executor.hpp>

namespace berth::capi {

/// Kept by its handle, by every operation that uses it and by a supervisor.
class executor_core : public resident, public std::enable_shared_from_this<executor_core> {
 public:
  explicit executor_core(std::shared_ptr<loop_core> l) : loop(std::move(l)) {}
  const std::shared_ptr<loop_core> loop;

  /// Where it runs. Loop thread only.
  virtual result<executor*> place() = 0;
  /// Whether a command there can write to a descriptor of this process.
  virtual bool takes_descriptors() const { return true; }
  void close_on_loop() noexcept override {}
};

struct executor_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::executor;
  static constexpr handle_use use = handle_use::shared;
  explicit executor_object(std::shared_ptr<executor_core> c) : core(std::move(c)) {}
  ~executor_object() override {
    const auto loop = core->loop;
    loop->retire(std::move(core));
  }
  std::shared_ptr<executor_core> core;
};

/// Puts the executor on its loop and gives its handle out.
result<void> hand_out_executor(berth_executor** out, std::shared_ptr<executor_core> core);

/// Starts a command as an operation: what berth_exec_start and berth_sandbox_exec share.
result<std::uint64_t> start_exec(const std::shared_ptr<executor_core>& where, std::string_view options,
                                 const berth_op_options* op_options);

}  // namespace berth::capi
