// A managed sandbox: made, found again, used, and removed without a trace.
#pragma once

#include <berth/network/network.hpp>
#include <berth/process/executor.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace berth {

enum class sandbox_state { creating, running, paused, stopped, lost };  ///< lost: the record is there, runsc knows nothing

/// One command inside, with its place's defaults overridden where set.
struct exec_options {
  command what;
  stdio_options io;
};

/// A handle to a sandbox. Copyable handles of one sandbox may exist in many processes: the truth is the record on disk
/// and runsc. Used from the loop's thread only. Destroying a handle does nothing to the sandbox.
class sandbox : public executor {
 public:
  /// Makes and starts a sandbox: record, then directories, shared tmpfs, network, bundle, runsc. Whatever fails, all that
  /// was made is removed again and the error says why (with runsc's true cause from its debug log). Cancelling does the same.
  static boost::asio::awaitable<result<std::shared_ptr<sandbox>>> create(environment where, sandbox_config what);

  /// Finds one by id, also of another process.
  static result<std::shared_ptr<sandbox>> attach(environment where, std::string id);

  const std::string& id() const noexcept;
  const sandbox_record& record() const noexcept;   ///< as last read or written

  boost::asio::awaitable<result<sandbox_state>> state();

  /// executor: a command by `runsc exec`; `signal` reaches the command inside.
  boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) override;

  /// The host path of a file in the shared directory, for instance "docker.sock". Hostile ground: see security.md.
  std::string shared_path(std::string_view name) const;
  /// Where the shared directory is inside.
  static constexpr std::string_view shared_inside = "/run/berth";

  /// Stops everything inside and removes every resource. Idempotent; goes on past failures and reports the first.
  boost::asio::awaitable<result<void>> terminate();
};

/// All sandboxes under where.root, in order of creation. A damaged record gives an entry with `damaged` set.
result<std::vector<sandbox_record>> list_sandboxes(const environment& where);

/// Removes what dead owners left: sandboxes whose creation did not end and whose creator is gone, whose init has exited,
/// or whose record says that they end with an owner that is gone. Gives the ids removed.
boost::asio::awaitable<result<std::vector<std::string>>> collect_garbage(environment where);

}  // namespace berth
