// SPDX-License-Identifier: Apache-2.0
// This host's docker client, as a child whose words on standard error are seen.
#pragma once

#include <berth/base/result.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace berth::cli {

/// What it took to end.
struct client_end {
  exit_status status;
  std::string error_tail;  ///< what came last on standard error
};

/// The environment of a client that is to talk to `socket` and to nobody else.
std::vector<std::string> client_environment(const std::string& socket);

/// Runs `program` with our streams, in our process group: the terminal is its own, and what is typed there (Ctrl-C) reaches it
/// directly. Other signals are passed on. Standard error goes through us, by a terminal where ours is one.
boost::asio::awaitable<result<client_end>> run_client(std::string program, std::vector<std::string> words,
                                                      std::string socket);

}  // namespace berth::cli
