// SPDX-License-Identifier: Apache-2.0
// What the host asks for of the sandbox's files. Each may take long, and waits: for a process of its own. Errors are errno's, with
// what failed and of what.
#pragma once

#include "host_link.hpp"

#include <berth/base/result.hpp>
#include <berth/guest/file_messages.hpp>

#include <string>

#include <sys/types.h>

namespace berth::guest {

result<void> read_content(host_link& host, const guest_file_request& wanted);
result<void> write_content(host_link& host, const guest_file_request& wanted);
result<void> list_directory(host_link& host, const guest_file_request& wanted);
result<void> tell_status(host_link& host, const guest_file_request& wanted);
result<void> remove_path(const guest_file_request& wanted);
result<void> make_directory(const guest_file_request& wanted);
result<void> rename_path(const guest_file_request& wanted);
result<void> pack_tree(host_link& host, const guest_file_request& wanted);
result<void> unpack_tree(host_link& host, const guest_file_request& wanted);

/// With those above; one that is there is no error. 0 or errno.
int make_directories(const std::string& path, mode_t mode);
/// With all that is in it. 0 or errno; goes on past what cannot be removed, and gives the first.
int remove_tree(int at, const char* name);
/// For what is not whole yet: a name beside `path` that nobody has.
std::string name_beside(const std::string& path);

error file_error(int err, const char* what, const std::string& path);

}  // namespace berth::guest
