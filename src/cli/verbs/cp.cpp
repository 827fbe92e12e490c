// SPDX-License-Identifier: Apache-2.0
// `berth cp`: files and trees between this host and a sandbox, as docker cp.
#include "interrupts.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/file.hpp>
#include <berth/base/tar_tree.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/this_coro.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

struct cp_call {
  std::string from, to;
  bool follow = false;
};

// ID:PATH, unless a slash comes first, as in docker cp.
struct end {
  std::string id;  // empty: of this host
  std::string path;
};
end parse_end(const std::string& word) {
  const std::size_t colon = word.find(':');
  if (colon == word.npos || colon == 0 || word.find('/') < colon) return {{}, word};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

std::string last_component(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}
// The directory above, to be unpacked into.
std::string above(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Where a source goes: `name` of it, `.` for what is in it, below `directory`.
struct goal {
  std::string directory, name;
};
// docker cp's rules. `is_directory`: of what is at `to`, nothing where there is nothing.
result<goal> choose_goal(const std::string& from, bool from_is_directory, const std::string& to,
                         std::optional<bool> is_directory) {
  const bool content = from_is_directory && (from.ends_with("/.") || from == ".");
  const std::string name = last_component(from);
  if (is_directory && *is_directory)
    return goal{to, content || name == ".." || name.empty() || name == "." ? "." : name};
  if (is_directory && from_is_directory)
    return make_error(errc::invalid, "cli", "a directory does not take the place of a file", to);
  if (!is_directory && to.ends_with('/') && !from_is_directory)
    return make_error(errc::not_found, "cli", "there is no such directory", to,
                      "make it first, or leave the slash out");
  return goal{above(to), last_component(to)};
}

// A directory by the name that it is to have is `name/…` in the archive; what is in it alone is `.`.
asio::awaitable<result<void>> copy_out(guest_files files, std::string from, std::string to, bool follow) {
  if (to == "-") {
    auto packing = files.pack(from, from.ends_with("/.") ? "." : std::string(), follow);
    auto tar = co_await std::move(packing);
    if (!tar) co_return std::move(tar).error();
    auto copying = tar->copy_to(STDOUT_FILENO);
    auto copied = co_await std::move(copying);
    if (!copied) co_return std::move(copied).error();
    co_return result<void>();
  }
  auto asking = files.stat(from, follow || from.ends_with('/'));
  auto info = co_await std::move(asking);
  if (!info) co_return std::move(info).error();
  struct stat there {};
  std::optional<bool> is_directory;
  if (::stat(to.c_str(), &there) == 0) is_directory = S_ISDIR(there.st_mode);
  auto where = choose_goal(from, info->is_directory(), to, is_directory);
  if (!where) co_return std::move(where).error();
  auto packing = files.pack(from, where->name, follow || from.ends_with('/'));
  auto tar = co_await std::move(packing);
  if (!tar) co_return std::move(tar).error();
  // What comes is the sandbox's: no link is followed, nothing is made outside, no owner, device or special bit is taken over.
  unpack_options options;
  auto tree = tar_unpacker::open(where->directory, options, "cli");
  if (!tree) co_return std::move(tree).error();
  for (;;) {
    auto reading = tar->next();
    auto piece = co_await std::move(reading);
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) break;
    auto taken = tree->append(*piece);
    if (!taken) co_return std::move(taken).error();
  }
  co_return tree->finish();
}

asio::awaitable<result<void>> copy_in(guest_files files, std::string from, std::string to, bool follow) {
  if (from == "-") {
    auto unpacking = files.unpack(to, false);
    auto writer = co_await std::move(unpacking);
    if (!writer) co_return std::move(writer).error();
    auto copying = writer->copy_from(STDIN_FILENO);
    auto copied = co_await std::move(copying);
    if (!copied) co_return std::move(copied).error();
    co_return result<void>();
  }
  struct stat source {};
  const bool through = follow || from.ends_with('/');
  if ((through ? ::stat(from.c_str(), &source) : ::lstat(from.c_str(), &source)) != 0)
    co_return errno_error(errno, "cli", "cannot read what is to be copied", from);
  std::optional<bool> is_directory;
  auto asking = files.stat(to, true);
  auto info = co_await std::move(asking);
  if (info) is_directory = info->is_directory();
  else if (info.error().sys_errno != ENOENT || info.error().layer != "files") co_return std::move(info).error();
  auto where = choose_goal(from, S_ISDIR(source.st_mode), to, is_directory);
  if (!where) co_return std::move(where).error();
  auto tree = tar_packer::open(from, where->name, through, "cli");
  if (!tree) co_return std::move(tree).error();
  auto unpacking = files.unpack(where->directory, false);
  auto writer = co_await std::move(unpacking);
  if (!writer) co_return std::move(writer).error();
  for (std::string piece;; piece.clear()) {
    const auto more = tree->next(piece);
    if (!more) co_return more.error();
    if (!*more) break;
    auto writing = writer->write(piece);
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
  }
  auto finishing = writer->finish();
  co_return co_await std::move(finishing);
}

// The exit code, 128 + n after a signal.
asio::awaitable<result<int>> copy(std::shared_ptr<sandbox> box, end from, end to, bool follow) {
  interrupts signals(co_await asio::this_coro::executor);
  auto work = from.id.empty() ? copy_in(box->files(), from.path, to.path, follow)
                              : copy_out(box->files(), from.path, to.path, follow);
  // It has things to undo.
  auto heeding = cancellation_as_error(std::move(work));
  auto done = co_await until_interrupted(std::move(heeding), signals);
  if (done) co_return int{exit_ok};
  if (signals.first() != 0) co_return 128 + signals.first();
  co_return std::move(done).error();
}

int act(const cp_call& c, invocation& call) {
  const end from = parse_end(c.from), to = parse_end(c.to);
  if (from.id.empty() == to.id.empty() || from.path.empty() || to.path.empty()) {
    return fail(make_error(errc::invalid, "cli", "one of the two is a sandbox's, as ID:PATH, and the other this host's",
                           c.from + " " + c.to, "berth cp box:/etc/hosts . or berth cp notes.txt box:/tmp"),
                call);
  }
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, from.id.empty() ? to.id : from.id);
  if (!box) return fail_lookup(box.error(), call);
  const auto done = run_loop(copy(*box, from, to, c.follow));
  return done ? *done : fail(done.error(), call);
}

}  // namespace

void add_cp(CLI::App& app, invocation& call) {
  auto c = std::make_shared<cp_call>();
  app.add_option("FROM", c->from, "ID:PATH of a sandbox, a path of this host, or - for a tar on standard input")
      ->required();
  app.add_option("TO", c->to, "the other of the two, or - for a tar on standard output")->required();
  app.add_flag("-L,--follow-link", c->follow, "what FROM leads to, where it is a symbolic link");
  add_examples(app, {"berth cp box:/var/log/app.log .", "berth cp src box:/work", "berth cp box:/etc - | tar -t"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
