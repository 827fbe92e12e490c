// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/token.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/snapshot/detail/pool_directory.hpp>
#include <berth/spec/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace berth::detail {

inline error no_pool(std::string_view name) {
  return make_error(errc::not_found, "pool", "there is no pool of this name", std::string(name), hints::list_pools());
}

inline error damaged_pool(const std::string& file, std::string why) {
  return make_error(errc::record_damaged, "pool", "the pool's settings cannot be read: " + std::move(why), file,
                    "stop the pool, and start it again");
}

inline std::string inside_of(const unique_fd& directory, std::string_view name) {
  return "/proc/self/fd/" + std::to_string(directory.get()) + "/" + std::string(name);
}

inline std::string format_pool_settings(const pool_settings& settings, const std::string& source) {
  berth::json_writer out(2);
  out.open_object().key("name").string(settings.name).key("snapshot").string(settings.snapshot);
  out.key("source").string(source).key("size").number(settings.rate.size).key("at_once").number(settings.rate.at_once);
  out.key("per_minute").real(settings.rate.per_minute);
  out.key("owner").open_object().key("pid").number(settings.owner.pid);
  out.key("start_time").unsigned_number(settings.owner.start_time).close_object();
  return out.close_object().take() + '\n';
}

inline std::string format_pool_figures(const pool_figures& figures) {
  berth::json_writer out(2);
  out.open_object().key("made").unsigned_number(figures.made).key("handed_out").unsigned_number(figures.handed_out);
  out.key("missed").unsigned_number(figures.missed).key("failed").unsigned_number(figures.failed);
  out.key("lost").unsigned_number(figures.lost).key("refill_ms").number(figures.refill_ms);
  return out.key("failure").string(figures.failure).close_object().take() + '\n';
}

/// The directory of the pools; empty where it is not there and `make` is not wanted.
inline result<std::string> directory_of_pools(const environment& where, bool make) {
  auto root = root_directory(where, make);
  if (!root && !make && root.error().code == errc::not_found) return std::string();
  if (!root) return std::move(root).error();
  const std::string all = *root + std::string(pools_directory);
  if (make && ::mkdir(all.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, "pool", "cannot make the directory of the pools", all);
  return all;
}

inline unique_fd open_directory(const std::string& path) {
  return unique_fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

BERTH_DECL result<pool_directory> pool_directory::make(const environment& where, const pool_settings& settings,
                                                       std::string source) {
  auto all = directory_of_pools(where, true);
  if (!all) return std::move(all).error();
  pool_directory out;
  out.all_ = *all;
  const std::string unfinished = *all + "/.new-" + random_token(13);
  if (::mkdir(unfinished.c_str(), 0700) != 0)
    return errno_error(errno, "pool", "cannot make the pool's directory", unfinished);
  out.fd_ = open_directory(unfinished);
  out.path_ = *all + "/" + settings.name;
  out.source_ = std::move(source);
  result<void> done;
  if (!out.fd_ || ::flock(out.fd_.get(), LOCK_EX | LOCK_NB) != 0)
    done = errno_error(errno, "pool", "cannot make the pool's directory", unfinished);
  if (done) done = out.write(settings);
  if (done && ::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, out.path_.c_str(), RENAME_NOREPLACE) != 0)
    done = errno == EEXIST
               ? make_error(errc::exists, "pool", "there is a pool of this name", settings.name, "choose another name")
               : errno_error(errno, "pool", "cannot give the pool its name", out.path_);
  if (!done) {
    std::error_code ignored;
    std::filesystem::remove_all(unfinished, ignored);
    return std::move(done).error();
  }
  ::flock(out.fd_.get(), LOCK_UN);
  return out;
}

BERTH_DECL result<pool_directory> pool_directory::open(const environment& where, std::string_view name) {
  BERTH_TRY(check_pool_name(name));
  auto all = directory_of_pools(where, false);
  if (!all) return std::move(all).error();
  pool_directory out;
  out.all_ = *all;
  out.path_ = *all + "/" + std::string(name);
  if (!all->empty()) out.fd_ = open_directory(out.path_);
  if (!out.fd_ && (all->empty() || errno == ENOENT)) return no_pool(name);
  if (!out.fd_) return errno_error(errno, "pool", "cannot open the pool's directory", out.path_);
  BERTH_TRY(out.read());
  return out;
}

BERTH_DECL bool pool_directory::is_there() const {
  struct stat mine {
  }, there{};
  return ::fstat(fd_.get(), &mine) == 0 && ::lstat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
         mine.st_dev == there.st_dev && path_.rfind("/.old-") == std::string::npos;
}

BERTH_DECL result<void> pool_directory::read() {
  const std::string file = path_ + "/pool.json";
  const auto text = read_file(inside_of(fd_, "pool.json"), 1u << 16, "pool");
  if (!text) return text.error();
  const auto parsed = parsed_json::parse(*text);
  if (!parsed) return damaged_pool(file, parsed.error().message);
  const json_view root = parsed->root(), owner = root["owner"];
  pool_settings read;
  read.name = root["name"].text().value_or(std::string_view());
  read.snapshot = root["snapshot"].text().value_or(std::string_view());
  read.rate.size = root["size"].number<int>().value_or(0);
  read.rate.at_once = root["at_once"].number<int>().value_or(0);
  read.rate.per_minute = root["per_minute"].number<double>().value_or(-1);
  read.owner.pid = owner["pid"].number<pid_t>().value_or(0);
  read.owner.start_time = owner["start_time"].number<std::uint64_t>().value_or(0);
  if (const auto good = check_pool_settings(read); !good) return damaged_pool(file, good.error().message);
  settings_ = std::move(read);
  source_ = root["source"].text().value_or(std::string_view());
  return {};
}

BERTH_DECL result<void> pool_directory::write(const pool_settings& settings) {
  BERTH_TRY(replace_file(inside_of(fd_, "pool.json"), format_pool_settings(settings, source_), 0600, "pool"));
  settings_ = settings;
  return {};
}

BERTH_DECL pool_figures pool_directory::figures() const {
  pool_figures out;
  const auto text = read_file(inside_of(fd_, "figures.json"), 1u << 20, "pool");
  const auto parsed = text ? parsed_json::parse(*text) : result<parsed_json>(text.error());
  if (!parsed) return out;
  const json_view root = parsed->root();
  const auto count = [&root](const char* key) { return root[key].number<std::uint64_t>().value_or(0); };
  out.made = count("made");
  out.handed_out = count("handed_out");
  out.missed = count("missed");
  out.failed = count("failed");
  out.lost = count("lost");
  out.refill_ms = root["refill_ms"].number<std::int64_t>().value_or(0);
  out.failure = root["failure"].text().value_or(std::string_view());
  return out;
}

BERTH_DECL void pool_directory::count(const std::function<void(pool_figures&)>& change) const {
  // Held for a moment only, and by nobody who waits for anything meanwhile.
  const unique_fd lock(::open(inside_of(fd_, "figures.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return;
  pool_figures now = figures();
  change(now);
  (void)replace_file(inside_of(fd_, "figures.json"), format_pool_figures(now), 0600, "pool");
}

BERTH_DECL std::optional<unique_fd> pool_directory::try_lock() const {
  unique_fd lock(::open(inside_of(fd_, "filling.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return lock;
}

BERTH_DECL result<void> pool_directory::retire() {
  if (!is_there()) return {};
  ::flock(fd_.get(), LOCK_EX | LOCK_NB);  // so that it is told from one that was left behind
  const std::string aside = all_ + "/.old-" + random_token(13);
  if (::rename(path_.c_str(), aside.c_str()) != 0 && errno != ENOENT)
    return errno_error(errno, "pool", "cannot stop the pool", path_);
  path_ = aside;
  return {};
}

BERTH_DECL void pool_directory::remove() {
  std::error_code ignored;
  if (!is_there()) std::filesystem::remove_all(path_, ignored);
}

BERTH_DECL int remove_retired_pools(const environment& where) {
  const auto all = directory_of_pools(where, false);
  if (!all || all->empty()) return 0;
  int removed = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(*all, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".new-") && !name.starts_with(".old-")) continue;
    const unique_fd held = open_directory(entry.path().string());
    if (!held || ::flock(held.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::filesystem::remove_all(entry.path(), failed);
    ++removed;
  }
  return removed;
}

BERTH_DECL result<void> remove_damaged_pool(const environment& where, std::string_view name) {
  auto all = directory_of_pools(where, false);
  if (!all) return std::move(all).error();
  const std::string path = *all + "/" + std::string(name), aside = *all + "/.old-" + random_token(13);
  std::error_code failed;
  if (::rename(path.c_str(), aside.c_str()) != 0) return errno_error(errno, "pool", "cannot stop the pool", path);
  std::filesystem::remove_all(aside, failed);
  if (failed) return errno_error(failed.value(), "pool", "cannot remove the pool", aside);
  return {};
}

BERTH_DECL bool is_ready_in_pool(const sandbox_record& record, std::string_view source) {
  if (!record.waits_in_pool() || record.pool->source != source || !record.process_alive()) return false;
  const auto purpose = read_purpose(record.directory);
  if (!purpose || !purpose->docker) return true;
  const auto guest = read_guest_status(record);
  return guest && guest->docker.state == daemon_state::ready;
}

BERTH_DECL result<std::vector<sandbox_record>> pool_members(const environment& where, std::string_view name) {
  auto all = list_sandboxes(where);
  if (!all) return all;
  std::erase_if(*all, [name](const sandbox_record& record) { return !record.pool || record.pool->name != name; });
  return all;
}

}  // namespace berth::detail
