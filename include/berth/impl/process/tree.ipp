// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/process.hpp>
#include <berth/process/tree.hpp>

#include <charconv>
#include <csignal>
#include <utility>
#include <vector>

namespace berth {
namespace detail {

/// What it prints.
inline boost::asio::awaitable<result<std::string>> run_tree_tool(std::vector<std::string> argv, std::string failure,
                                                                 std::string directory, time_point deadline) {
  const std::string program = argv.front();
  spawn_options options;
  options.argv = std::move(argv);
  options.env = minimal_environment();
  options.parent_death_signal = SIGKILL;
  stdio_options io;
  auto running = run_process(std::move(options), std::move(io), deadline);
  auto done = co_await std::move(running);
  if (!done) co_return std::move(done).error();
  if (done->status.success()) co_return std::move(done->out);
  // One line of many, with its end, where the reason stands. Names in it are of whoever filled the directory.
  std::string said = done->err.substr(0, done->err.find('\n'));
  error e = make_error(errc::io, "process", std::move(failure), std::move(directory));
  if (done->err.find("No space left on device") != std::string::npos) e.message += ": no space is left on the device";
  constexpr std::size_t kept = 400;
  if (said.size() > 3 * kept) said = said.substr(0, kept) + " … " + said.substr(said.size() - kept);
  e.detail = program + " ended with " + done->status.to_string() + (said.empty() ? "" : ": " + said);
  co_return e;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<void>> copy_tree(std::string from, std::string to, time_point deadline) {
  std::vector<std::string> argv{"cp", "--archive", "--reflink=auto", "--no-target-directory", "--", from, to};
  auto copying =
      detail::run_tree_tool(std::move(argv), "cannot copy the directory to " + to, std::move(from), deadline);
  auto copied = co_await std::move(copying);
  if (!copied) co_return std::move(copied).error();
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> tree_bytes(std::string directory, time_point deadline) {
  std::vector<std::string> argv{"du", "--summarize", "--block-size=1", "--", directory};
  auto looking = detail::run_tree_tool(std::move(argv), "cannot tell how large the directory is", directory, deadline);
  auto told = co_await std::move(looking);
  if (!told) co_return std::move(told).error();
  std::uint64_t bytes = 0;
  if (std::from_chars(told->data(), told->data() + told->size(), bytes).ec != std::errc())
    co_return make_error(errc::io, "process", "du told no number", std::move(directory));
  co_return bytes;
}

}  // namespace berth
