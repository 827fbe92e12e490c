// SPDX-License-Identifier: Apache-2.0
// Credentials of registries that a program of this host keeps: docker-credential-NAME, as Docker's client runs it.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace berth {

/// What Docker's client calls a registry where it keeps credentials: "HOST[:PORT]", or the URL that stands for docker.io. Pure.
BERTH_DECL std::string login_server(std::string_view registry);

/// Whether it can be the NAME of a docker-credential-NAME: letters, digits, ".", "_" and "-". Pure.
BERTH_DECL bool is_login_helper(std::string_view name) noexcept;

/// The credentials for `registry`, as an entry of "auths" in a config.json: {"auth": …} or {"identitytoken": …}. Runs
/// `docker-credential-NAME get`, which is found in this process's PATH and has its environment and user, with the server's name on
/// its standard input. It ends at the deadline, after 64 KiB, and when this is cancelled; what it prints is in no error, but for the
/// reason that it gives when it fails.
/// Errors: invalid (no name of a helper; an answer that is none, or that no config.json can hold), not_found (no such program in
/// PATH; it has no credentials for the registry), io (it failed: its reason is in the message), too_big, timeout, cancelled; those of spawn.
/// Not while another thread changes the environment (setenv(3)).
BERTH_DECL boost::asio::awaitable<result<std::string>> ask_login_helper(std::string name, std::string registry,
                                                                        time_point deadline);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/login_helper.ipp>
#endif
