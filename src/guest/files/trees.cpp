// SPDX-License-Identifier: Apache-2.0
// Trees as archives, without a program for it.
#include "operations.hpp"

#include <berth/base/tar_tree.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace berth::guest {

result<void> pack_tree(host_link& host, const guest_file_request& wanted) {
  auto tree = tar_packer::open(wanted.path, wanted.other, wanted.follow, "files");
  if (!tree) return std::move(tree).error();
  for (std::string out;; out.clear()) {
    const auto more = tree->next(out);
    if (!more) return more.error();
    if (!*more) return {};
    if (!host.say_content(out)) return file_error(ECANCELED, "the host is gone", wanted.path);
  }
}

result<void> unpack_tree(host_link& host, const guest_file_request& wanted) {
  std::string to = wanted.path;
  while (to.size() > 1 && to.ends_with('/')) to.pop_back();
  const auto failed = [&](int err) { return file_error(err, "cannot unpack into a directory", to); };
  struct stat there {};
  const bool exists = ::stat(to.c_str(), &there) == 0;
  if (!exists && (errno != ENOENT || !wanted.parents)) return failed(errno);
  if (exists && !S_ISDIR(there.st_mode)) return failed(ENOTDIR);
  // One that is not there yet is made as a whole, or not at all.
  std::string beside;
  if (!exists) {
    const std::size_t slash = to.rfind('/');
    if (slash != to.npos && slash > 0) {
      if (const int err = make_directories(to.substr(0, slash), 0755); err != 0) return failed(err);
    }
    beside = name_beside(to);
    if (::mkdir(beside.c_str(), 0755) != 0) return failed(errno);
  }
  unpack_options options;
  options.as_it_was = true;
  options.follow_inside = true;
  auto tree = tar_unpacker::open(exists ? to : beside, options, "files");
  std::optional<error> why;
  if (!tree) why = std::move(tree).error();
  if (!why) {
    const int err = host.take_input([&](std::string_view data) {
      auto taken = tree->append(data);
      if (taken) return 0;
      why = std::move(taken).error();
      return why->sys_errno != 0 ? why->sys_errno : EINVAL;
    });
    if (err != 0 && !why) why = failed(err);
  }
  if (!why) {
    auto whole = tree->finish();
    if (!whole) why = std::move(whole).error();
  }
  if (!why && !beside.empty() && ::rename(beside.c_str(), to.c_str()) != 0) why = failed(errno);
  if (why && !beside.empty()) (void)remove_tree(AT_FDCWD, beside.c_str());
  if (why) return std::move(*why);
  return {};
}

}  // namespace berth::guest
