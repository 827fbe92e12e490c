// SPDX-License-Identifier: Apache-2.0
// berth_files_…: the files of sandboxes.
#include "detail/json_out.hpp"
#include "detail/options.hpp"
#include "detail/sandbox_operation.hpp"

#include <berth/base/base64.hpp>
#include <berth/base/utf8.hpp>
#include <berth/process/fd_copy.hpp>

#include <fcntl.h>

#include <cerrno>
#include <limits>

namespace berth::capi {

asio::awaitable<op_result> sandbox_core::with_files(std::function<asio::awaitable<op_result>(guest_files&)> body) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = self();
  auto held = box();
  if (!held) co_return std::move(held).error();
  const auto mine = *held;
  guest_files files = mine->files();
  auto work = body(files);
  co_return co_await std::move(work);
}

namespace {

constexpr std::uint64_t most_in_memory = std::uint64_t{1} << 30;

// A duplicate of the caller's, or none.
using shared_fd = std::shared_ptr<unique_fd>;
result<shared_fd> take_fd(std::int32_t fd) {
  if (fd < -1) return make_error(errc::invalid, "capi", "fd is a descriptor, or -1", "fd");
  if (fd == -1) return shared_fd();
  auto own = std::make_shared<unique_fd>(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!*own) return errno_error(errno, "capi", "the descriptor cannot be taken", "fd");
  return own;
}

result<std::string> read_file_path(std::string_view path, const char* name) {
  BERTH_TRY(check_path(path, name));
  return std::string(path);
}

result<bool> read_switch(std::int32_t value, const char* name) {
  if (value == 0 || value == 1) return value == 1;
  return make_error(errc::invalid, "capi", std::string(name) + " is 0 or 1", name);
}

void write_text(json_writer& out, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) out.key(name).string(bytes);
  else out.key(name + "_base64").string(to_base64(bytes));
}

void write_file_info(json_writer& out, const file_info& info) {
  out.open_object();
  write_text(out, "name", info.name);
  out.key("mode").unsigned_number(info.mode).key("size").unsigned_number(info.size);
  out.key("uid").unsigned_number(info.uid).key("gid").unsigned_number(info.gid);
  out.key("mtime").number(info.mtime).key("mtime_ns").unsigned_number(info.mtime_ns);
  write_text(out, "target", info.target);
  out.close_object();
}

op_outcome with_payload(std::string payload) {
  op_outcome out;
  out.payload = std::move(payload);
  return out;
}

error too_many_bytes(std::uint64_t most, const std::string& path) {
  return make_error(errc::too_big, "files", "more than " + std::to_string(most) + " bytes", path);
}

// All that a reader has, to fd or as the payload.
asio::awaitable<op_result> take_all(guest_file_reader reader, shared_fd fd, std::uint64_t most, std::string path) {
  std::string all;
  std::shared_ptr<fd_copy> target;
  if (fd) {
    auto opening = fd_copy::open(fd->get());
    auto opened = co_await std::move(opening);
    if (!opened) co_return std::move(opened).error();
    target = std::move(*opened);
  }
  for (std::uint64_t sum = 0;;) {
    auto reading = reader.next();
    auto piece = co_await std::move(reading);
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) break;
    if (piece->size() > most - sum) co_return too_many_bytes(most, path);
    sum += piece->size();
    if (!target) {
      all += *piece;
      continue;
    }
    auto writing = target->write(*piece);
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
  }
  if (fd) co_return op_outcome{};
  co_return with_payload(std::move(all));
}

// All of the data, or of fd, to a writer.
asio::awaitable<op_result> give_all(guest_file_writer writer, shared_fd fd, std::shared_ptr<std::string> data) {
  if (fd) {
    auto copying = writer.copy_from(fd->get());
    auto copied = co_await std::move(copying);
    if (!copied) co_return std::move(copied).error();
    co_return op_outcome{};
  }
  auto writing = writer.write(*data);
  auto written = co_await std::move(writing);
  if (!written) co_return std::move(written).error();
  auto finishing = writer.finish();
  auto finished = co_await std::move(finishing);
  if (!finished) co_return std::move(finished).error();
  co_return op_outcome{};
}

asio::awaitable<op_result> read_content(guest_files files, std::string path, file_range range, std::uint64_t most,
                                        shared_fd fd) {
  if (most < range.limit) range.limit = most + 1;
  const std::string name = path;
  auto beginning = files.read(std::move(path), range);
  auto reader = co_await std::move(beginning);
  if (!reader) co_return std::move(reader).error();
  auto taking = take_all(std::move(*reader), std::move(fd), most, name);
  co_return co_await std::move(taking);
}

asio::awaitable<op_result> write_content(guest_files files, std::string path, file_write_options options, shared_fd fd,
                                         std::shared_ptr<std::string> data) {
  if (!fd) {
    auto writing = files.write_all(std::move(path), std::move(*data), std::move(options));
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
    co_return op_outcome{};
  }
  auto beginning = files.write(std::move(path), std::move(options));
  auto writer = co_await std::move(beginning);
  if (!writer) co_return std::move(writer).error();
  auto giving = give_all(std::move(*writer), std::move(fd), std::move(data));
  co_return co_await std::move(giving);
}

asio::awaitable<op_result> tell_info(guest_files files, std::string path, bool follow) {
  auto asking = files.stat(std::move(path), follow);
  auto info = co_await std::move(asking);
  if (!info) co_return std::move(info).error();
  json_writer out;
  write_file_info(out, *info);
  co_return with_payload(out.take());
}

asio::awaitable<op_result> tell_entries(guest_files files, std::string path, std::size_t most) {
  auto listing = files.list(std::move(path), most);
  auto all = co_await std::move(listing);
  if (!all) co_return std::move(all).error();
  json_writer out;
  out.open_array();
  for (const file_info& one : *all) write_file_info(out, one);
  co_return with_payload(out.close_array().take());
}

asio::awaitable<op_result> done(asio::awaitable<result<void>> work) {
  auto outcome = co_await std::move(work);
  if (!outcome) co_return std::move(outcome).error();
  co_return op_outcome{};
}

asio::awaitable<op_result> pack_tree(guest_files files, std::string path, std::string name, bool follow,
                                     std::uint64_t most, shared_fd fd) {
  const std::string whose = path;
  auto beginning = files.pack(std::move(path), std::move(name), follow);
  auto reader = co_await std::move(beginning);
  if (!reader) co_return std::move(reader).error();
  auto taking = take_all(std::move(*reader), std::move(fd), most, whose);
  co_return co_await std::move(taking);
}

asio::awaitable<op_result> unpack_tree(guest_files files, std::string path, bool parents, shared_fd fd,
                                       std::shared_ptr<std::string> data) {
  auto beginning = files.unpack(std::move(path), parents);
  auto writer = co_await std::move(beginning);
  if (!writer) co_return std::move(writer).error();
  auto giving = give_all(std::move(*writer), std::move(fd), std::move(data));
  co_return co_await std::move(giving);
}

std::optional<std::uint32_t> read_mode(options_object& o) {
  const auto mode = o.integer("mode");
  if (!mode) return {};
  return static_cast<std::uint32_t>(*mode);
}

std::uint64_t read_size(options_object& o, std::string_view name, std::uint64_t otherwise) {
  const auto size = o.size(name);
  return size ? static_cast<std::uint64_t>(*size) : otherwise;
}

// How much may come: to a descriptor as much as is wanted, into memory no more than that takes.
std::uint64_t read_most(options_object& o, std::int32_t fd) {
  const std::uint64_t most = fd == -1 ? most_in_memory : std::numeric_limits<std::uint64_t>::max();
  return std::min(most, read_size(o, "most", most));
}

using files_body = std::function<asio::awaitable<op_result>(guest_files&)>;

// `read` looks at the arguments but the path, and gives what is to be done with that.
template <class Read>
berth_status files_operation(berth_sandbox* sandbox, const char* path, std::size_t path_len,
                             const berth_op_options* op_options, std::uint64_t* op, berth_error** err, Read read) {
  return checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> result<sandbox_verb> {
    BERTH_TEXT(text, path, path_len);
    auto name = read_file_path(text, "path");
    if (!name) return std::move(name).error();
    result<files_body> body = read(std::move(*name));
    if (!body) return std::move(body).error();
    return sandbox_verb([body = std::move(*body)](sandbox_core& c, op_pointer) { return c.with_files(body); });
  });
}

}  // namespace

}  // namespace berth::capi

namespace capi = berth::capi;
using berth::guest_files;
using berth::result;
using capi::files_body;

berth_status berth_files_read(berth_sandbox* sandbox, const char* path, size_t path_len, const char* options,
                              size_t options_len, int32_t fd, const berth_op_options* op_options, uint64_t* op,
                              berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        BERTH_TEXT(text, options, options_len);
        capi::options_text given;
        BERTH_TRY(given.parse(text));
        auto o = given.root("file_read");
        berth::file_range range;
        range.offset = capi::read_size(o, "offset", 0);
        range.limit = capi::read_size(o, "length", range.limit);
        const std::uint64_t most = capi::read_most(o, fd);
        o.finish();
        BERTH_TRY(given.outcome());
        auto own = capi::take_fd(fd);
        if (!own) return std::move(own).error();
        return files_body(
            [=, target = *own](guest_files& files) { return capi::read_content(files, name, range, most, target); });
      });
}

berth_status berth_files_write(berth_sandbox* sandbox, const char* path, size_t path_len, const char* options,
                               size_t options_len, const char* data, size_t data_len, int32_t fd,
                               const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        BERTH_TEXT(text, options, options_len);
        BERTH_TEXT(bytes, data, data_len);
        capi::options_text given;
        BERTH_TRY(given.parse(text));
        auto o = given.root("file_write");
        berth::file_write_options wanted;
        wanted.mode = capi::read_mode(o);
        o.into(wanted.parents, o.boolean("parents"));
        o.finish();
        BERTH_TRY(given.outcome());
        auto own = capi::take_fd(fd);
        if (!own) return std::move(own).error();
        auto copy = std::make_shared<std::string>(bytes);
        return files_body(
            [=, source = *own](guest_files& files) { return capi::write_content(files, name, wanted, source, copy); });
      });
}

berth_status berth_files_stat(berth_sandbox* sandbox, const char* path, size_t path_len, int32_t follow,
                              const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        const auto through = capi::read_switch(follow, "follow");
        if (!through) return through.error();
        return files_body([=, f = *through](guest_files& files) { return capi::tell_info(files, name, f); });
      });
}

berth_status berth_files_list(berth_sandbox* sandbox, const char* path, size_t path_len, uint64_t most,
                              const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        const std::size_t limit = most == 0 ? 1'000'000 : static_cast<std::size_t>(most);
        return files_body([=](guest_files& files) { return capi::tell_entries(files, name, limit); });
      });
}

berth_status berth_files_remove(berth_sandbox* sandbox, const char* path, size_t path_len, int32_t recursive,
                                const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        const auto all = capi::read_switch(recursive, "recursive");
        if (!all) return all.error();
        return files_body([=, r = *all](guest_files& files) { return capi::done(files.remove(name, r)); });
      });
}

berth_status berth_files_make_directory(berth_sandbox* sandbox, const char* path, size_t path_len, const char* options,
                                        size_t options_len, const berth_op_options* op_options, uint64_t* op,
                                        berth_error** err) {
  return capi::files_operation(
      sandbox, path, path_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        BERTH_TEXT(text, options, options_len);
        capi::options_text given;
        BERTH_TRY(given.parse(text));
        auto o = given.root("file_directory");
        const auto mode = capi::read_mode(o);
        bool parents = false;
        o.into(parents, o.boolean("parents"));
        o.finish();
        BERTH_TRY(given.outcome());
        return files_body([=](guest_files& files) { return capi::done(files.make_directory(name, parents, mode)); });
      });
}

berth_status berth_files_rename(berth_sandbox* sandbox, const char* from, size_t from_len, const char* to,
                                size_t to_len, const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::files_operation(
      sandbox, from, from_len, op_options, op, err, [&](std::string name) -> result<files_body> {
        BERTH_TEXT(text, to, to_len);
        auto other = capi::read_file_path(text, "to");
        if (!other) return std::move(other).error();
        return files_body([=, o = *other](guest_files& files) { return capi::done(files.rename(name, o)); });
      });
}

berth_status berth_files_pack(berth_sandbox* sandbox, const char* path, size_t path_len, const char* options,
                              size_t options_len, int32_t fd, const berth_op_options* op_options, uint64_t* op,
                              berth_error** err) {
  return capi::files_operation(sandbox, path, path_len, op_options, op, err,
                               [&](std::string name) -> result<files_body> {
                                 BERTH_TEXT(text, options, options_len);
                                 capi::options_text given;
                                 BERTH_TRY(given.parse(text));
                                 auto o = given.root("file_pack");
                                 std::string inside;
                                 bool follow = false;
                                 o.into(inside, o.text("name"));
                                 o.into(follow, o.boolean("follow"));
                                 const std::uint64_t most = capi::read_most(o, fd);
                                 o.finish();
                                 BERTH_TRY(given.outcome());
                                 auto own = capi::take_fd(fd);
                                 if (!own) return std::move(own).error();
                                 return files_body([=, target = *own](guest_files& files) {
                                   return capi::pack_tree(files, name, inside, follow, most, target);
                                 });
                               });
}

berth_status berth_files_unpack(berth_sandbox* sandbox, const char* path, size_t path_len, int32_t parents,
                                const char* data, size_t data_len, int32_t fd, const berth_op_options* op_options,
                                uint64_t* op, berth_error** err) {
  return capi::files_operation(sandbox, path, path_len, op_options, op, err,
                               [&](std::string name) -> result<files_body> {
                                 const auto make = capi::read_switch(parents, "parents");
                                 if (!make) return make.error();
                                 BERTH_TEXT(bytes, data, data_len);
                                 auto own = capi::take_fd(fd);
                                 if (!own) return std::move(own).error();
                                 auto copy = std::make_shared<std::string>(bytes);
                                 return files_body([=, m = *make, source = *own](guest_files& files) {
                                   return capi::unpack_tree(files, name, m, source, copy);
                                 });
                               });
}
