// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/fd_copy.hpp>
#include <berth/guest/files.hpp>
#include <berth/process/cancellation.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth {

namespace detail {

/// What the transfers of one sandbox have in common.
struct file_place {
  guest_files::opener open;
  std::vector<unique_fd> idle;  // and no channels: a sandbox may outlive the loop that they belong to
};

struct file_transfer {
  file_transfer(guest_file_request::verb what, std::uint64_t most) : conversation(what, most) {}

  std::shared_ptr<file_place> place;
  guest_channel channel;
  guest_file_conversation conversation;
  duration silence{};
  guest_channel::message last;  // what `piece` is in
  std::string_view piece;       // came with the answer to the request, and was not taken yet
  bool over = false;

  /// Takes the next frame; gives its piece, nothing at the end.
  static boost::asio::awaitable<result<std::string_view>> take(std::shared_ptr<file_transfer> self) {
    if (self->over) co_return std::string_view();
    auto waiting = self->channel.next(deadline_after(self->silence));
    auto came = co_await std::move(waiting);
    if (!came) {
      self->break_off();
      co_return std::move(came).error();
    }
    self->last = std::move(*came);
    auto piece = self->conversation.take(self->last.kind, self->last.payload);
    if (!piece) {
      self->break_off();
      co_return std::move(piece).error();
    }
    if (!self->conversation.answer()) co_return *piece;
    self->over = true;
    const guest_file_answer& answer = *self->conversation.answer();
    if (answer.sys_errno != 0) co_return guest_file_error(answer);
    co_return std::string_view();
  }

  /// Breaks off what goes in, and waits until nothing is left of it.
  static boost::asio::awaitable<void> abandon(std::shared_ptr<file_transfer> self) {
    if (self->over) co_return;
    self->over = true;
    auto hanging_up = past_cancellation(self->channel.hang_up(deadline_after(seconds(5))));
    (void)co_await std::move(hanging_up);
    self->channel = guest_channel();
  }

  /// Sending failed: `broke`, or what the guest said before it stopped listening, which tells more.
  static boost::asio::awaitable<error> why_it_broke(std::shared_ptr<file_transfer> self, error broke) {
    if (broke.code != errc::io) {
      auto abandoning = abandon(self);
      co_await std::move(abandoning);
      co_return broke;
    }
    auto waiting = take(self);
    auto said = co_await std::move(waiting);
    self->break_off();
    if (!said && self->conversation.answer()) co_return std::move(said).error();
    co_return broke;
  }

  void break_off() {
    over = true;
    channel = guest_channel();
  }
  /// Both ends are in order: the next request may use it.
  void give_back() {
    constexpr std::size_t most_idle = 4;
    if (last.kind == guest_frame_kind::file_answer && place->idle.size() < most_idle)
      if (unique_fd socket = channel.release()) place->idle.push_back(std::move(socket));
    channel = guest_channel();
  }
};

inline error file_transfer_over() {
  return make_error(errc::closed, "guest", "this transfer is over, or was never begun");
}

inline guest_file_request file_request(guest_file_request::verb what, std::string path) {
  guest_file_request request;
  request.what = what;
  request.path = std::move(path);
  return request;
}

}  // namespace detail

BERTH_DECL guest_files::guest_files(std::string socket_path)
    : guest_files(
          [path = std::move(socket_path)](time_point deadline) { return guest_channel::open(path, deadline); }) {}

BERTH_DECL guest_files::guest_files(opener open) : place_(std::make_shared<detail::file_place>()) {
  place_->open = std::move(open);
}

// The request is with the guest; where content comes, so is the first of its answers.
BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<detail::file_transfer>>> guest_files::begin(
    guest_file_request request) {
  using verb = guest_file_request::verb;
  using boost::asio::awaitable;
  if (request.path.empty() || request.path.find('\0') != request.path.npos ||
      request.other.find('\0') != request.other.npos)
    co_return make_error(errc::invalid, "files", "not a path: it is empty, or holds a NUL", "path");
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto place = place_;
  const duration may_be_silent = silence;
  const time_point until = deadline_after(patience);
  const std::string payload = encode(request);
  const bool content_goes = request.what == verb::write || request.what == verb::unpack;
  for (;;) {
    auto out = std::make_shared<detail::file_transfer>(request.what, request.limit);
    out->place = place;
    out->silence = may_be_silent;
    const bool used = !place->idle.empty();
    if (used) {
      unique_fd socket = std::move(place->idle.back());
      place->idle.pop_back();
      auto adopted = guest_channel::adopt(loop, std::move(socket));
      if (!adopted) co_return std::move(adopted).error();
      out->channel = std::move(*adopted);
    } else {
      auto opening = place->open(until);
      auto opened = co_await std::move(opening);
      if (!opened) co_return std::move(opened).error();
      out->channel = std::move(*opened);
    }
    auto asking = out->channel.send(guest_frame_kind::file, payload, deadline_after(may_be_silent));
    auto asked = co_await std::move(asking);
    if (!asked && used && asked.error().code == errc::io) continue;  // the guest has ended one that was idle
    if (!asked) co_return std::move(asked).error();
    if (content_goes) co_return out;
    auto waiting = detail::file_transfer::take(out);
    auto came = co_await std::move(waiting);
    if (came) {
      out->piece = *came;
      if (out->over) out->give_back();
      co_return out;
    }
    const auto& answer = out->conversation.answer();
    if (!answer && used && came.error().code == errc::sandbox_not_running) continue;
    if (!answer || answer->sys_errno != EAGAIN || clock::now() >= until) {
      if (answer) out->give_back();
      co_return std::move(came).error();
    }
    const milliseconds pause(20);  // as many as it takes are under way
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "guest", "cancelled");
  }
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_files::plain(guest_file_request request) {
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  co_return result<void>();
}

// ---- out of the sandbox ----

BERTH_DECL boost::asio::awaitable<result<std::string>> guest_file_reader::next() {
  const auto transfer = transfer_;
  if (!transfer) co_return detail::file_transfer_over();
  if (transfer->piece.empty()) {
    if (transfer->over) co_return std::string();
    const bool cancelled = co_await was_cancelled();
    if (cancelled) {
      transfer->break_off();
      co_return make_error(errc::cancelled, "guest", "the transfer was cancelled");
    }
    auto waiting = detail::file_transfer::take(transfer);
    auto came = co_await std::move(waiting);
    if (!came && transfer->conversation.answer()) transfer->give_back();
    if (!came) co_return std::move(came).error();
    transfer->piece = *came;
    if (transfer->over) transfer->give_back();
  }
  // Most often all of the frame.
  const bool whole = transfer->piece.size() == transfer->last.payload.size();
  std::string out = whole ? std::move(transfer->last.payload) : std::string(transfer->piece);
  transfer->piece = {};
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> guest_file_reader::copy_to(int fd) {
  guest_file_reader self = *this;
  auto target = co_await fd_copy::open(fd);
  if (!target) co_return std::move(target).error();
  std::uint64_t sum = 0;
  for (;;) {
    auto reading = self.next();
    auto piece = co_await std::move(reading);
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) co_return sum;
    sum += piece->size();
    auto writing = (*target)->write(*piece);
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
  }
}

BERTH_DECL boost::asio::awaitable<result<guest_file_reader>> guest_files::read(std::string path, file_range range) {
  auto request = detail::file_request(guest_file_request::verb::read, std::move(path));
  request.offset = range.offset;
  request.limit = range.limit;
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  guest_file_reader out;
  out.transfer_ = std::move(*begun);
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<std::string>> guest_files::read_all(std::string path, std::size_t most) {
  file_range range;
  if (most < range.limit) range.limit = std::uint64_t{most} + 1;
  const std::string name = path;
  auto beginning = read(std::move(path), range);
  auto reader = co_await std::move(beginning);
  if (!reader) co_return std::move(reader).error();
  std::string all;
  for (;;) {
    auto reading = reader->next();
    auto piece = co_await std::move(reading);
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) co_return all;
    if (piece->size() > most - all.size())
      co_return make_error(errc::too_big, "files", "a file of more than " + std::to_string(most) + " bytes", name);
    all += *piece;
  }
}

BERTH_DECL boost::asio::awaitable<result<file_info>> guest_files::stat(std::string path, bool follow) {
  auto request = detail::file_request(guest_file_request::verb::stat, std::move(path));
  request.follow = follow;
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  auto entries = decode_file_infos((*begun)->piece);
  if (!entries) co_return std::move(entries).error();
  if (entries->size() != 1) co_return make_error(errc::hostile, "guest", "the sandbox's guest told of no file");
  file_info info = std::move(entries->front());
  info.name.clear();
  auto waiting = detail::file_transfer::take(*begun);
  auto ended = co_await std::move(waiting);
  if (!ended) co_return std::move(ended).error();
  (*begun)->give_back();
  co_return info;
}

BERTH_DECL boost::asio::awaitable<result<std::vector<file_info>>> guest_files::list(std::string path,
                                                                                    std::size_t most) {
  const std::string name = path;
  auto request = detail::file_request(guest_file_request::verb::list, std::move(path));
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  std::vector<file_info> all;
  guest_file_reader reader;
  reader.transfer_ = std::move(*begun);
  for (;;) {
    auto reading = reader.next();
    auto piece = co_await std::move(reading);
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) break;
    auto entries = decode_file_infos(*piece);
    if (!entries) co_return std::move(entries).error();
    if (entries->size() > most - all.size())
      co_return make_error(errc::too_big, "files",
                           "more than " + std::to_string(most) + " files, directories and links", name);
    for (file_info& one : *entries) {
      if (one.name.empty())
        co_return make_error(errc::hostile, "guest", "the sandbox's guest gave a name that is none");
      all.push_back(std::move(one));
    }
  }
  std::sort(all.begin(), all.end(), [](const file_info& a, const file_info& b) { return a.name < b.name; });
  co_return all;
}

BERTH_DECL boost::asio::awaitable<result<guest_file_reader>> guest_files::pack(std::string path, std::string name,
                                                                               bool follow) {
  auto request = detail::file_request(guest_file_request::verb::pack, std::move(path));
  request.other = std::move(name);
  request.follow = follow;
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  guest_file_reader out;
  out.transfer_ = std::move(*begun);
  co_return out;
}

// ---- into it ----

BERTH_DECL boost::asio::awaitable<result<void>> guest_file_writer::write(std::string_view data) {
  constexpr std::size_t piece = 256 * 1024;
  const auto transfer = transfer_;
  if (!transfer || transfer->over) co_return detail::file_transfer_over();
  while (!data.empty()) {
    const bool cancelled = co_await was_cancelled();
    if (cancelled) {
      auto abandoning = detail::file_transfer::abandon(transfer);
      co_await std::move(abandoning);
      co_return make_error(errc::cancelled, "guest", "the transfer was cancelled");
    }
    if (transfer->channel.has_input()) {
      // It has said what went wrong: nothing else is said before the end.
      auto waiting = detail::file_transfer::take(transfer);
      auto said = co_await std::move(waiting);
      transfer->break_off();
      if (!said) co_return std::move(said).error();
      co_return make_error(errc::hostile, "guest", "the guest spoke out of turn");
    }
    std::string now(data.substr(0, piece));
    data.remove_prefix(now.size());
    auto sending = transfer->channel.send(guest_frame_kind::input, std::move(now), deadline_after(transfer->silence));
    auto sent = co_await std::move(sending);
    if (sent) continue;
    auto asking = detail::file_transfer::why_it_broke(transfer, std::move(sent).error());
    co_return co_await std::move(asking);
  }
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_file_writer::finish() {
  const auto transfer = transfer_;
  if (!transfer || transfer->over) co_return detail::file_transfer_over();
  auto sending = transfer->channel.send(guest_frame_kind::input_end, {}, deadline_after(transfer->silence));
  auto sent = co_await std::move(sending);
  if (!sent) {
    auto asking = detail::file_transfer::why_it_broke(transfer, std::move(sent).error());
    co_return co_await std::move(asking);
  }
  auto waiting = detail::file_transfer::take(transfer);
  auto ended = co_await std::move(waiting);
  if (transfer->conversation.answer()) transfer->give_back();
  if (!ended) co_return std::move(ended).error();
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> guest_file_writer::copy_from(int fd) {
  guest_file_writer self = *this;
  auto source = co_await fd_copy::open(fd);
  if (!source) co_return std::move(source).error();
  std::uint64_t sum = 0;
  for (;;) {
    auto reading = (*source)->read();
    auto piece = co_await std::move(reading);
    if (!piece) {
      auto abandoning = detail::file_transfer::abandon(self.transfer_);
      co_await std::move(abandoning);
      co_return std::move(piece).error();
    }
    if (piece->empty()) break;
    sum += piece->size();
    auto writing = self.write(*piece);
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
  }
  auto finishing = self.finish();
  auto finished = co_await std::move(finishing);
  if (!finished) co_return std::move(finished).error();
  co_return sum;
}

BERTH_DECL boost::asio::awaitable<result<guest_file_writer>> guest_files::write(std::string path,
                                                                                file_write_options options) {
  auto request = detail::file_request(guest_file_request::verb::write, std::move(path));
  request.other = std::move(options.into);
  request.mode = options.mode;
  request.parents = options.parents;
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  guest_file_writer out;
  out.transfer_ = std::move(*begun);
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_files::write_all(std::string path, std::string data,
                                                                       file_write_options options) {
  const time_point until = deadline_after(patience);
  for (;;) {
    auto beginning = write(path, options);
    auto writer = co_await std::move(beginning);
    if (!writer) co_return std::move(writer).error();
    auto writing = writer->write(data);
    auto done = co_await std::move(writing);
    if (done) {
      auto finishing = writer->finish();
      done = co_await std::move(finishing);
    }
    if (done || done.error().sys_errno != EAGAIN || clock::now() >= until) co_return done;
    const milliseconds pause(20);  // as many as it takes are under way
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "guest", "cancelled");
  }
}

BERTH_DECL boost::asio::awaitable<result<guest_file_writer>> guest_files::unpack(std::string path, bool parents) {
  auto request = detail::file_request(guest_file_request::verb::unpack, std::move(path));
  request.parents = parents;
  auto beginning = begin(std::move(request));
  auto begun = co_await std::move(beginning);
  if (!begun) co_return std::move(begun).error();
  guest_file_writer out;
  out.transfer_ = std::move(*begun);
  co_return out;
}

// ---- the rest ----

BERTH_DECL boost::asio::awaitable<result<void>> guest_files::remove(std::string path, bool recursive) {
  auto request = detail::file_request(guest_file_request::verb::remove, std::move(path));
  request.recursive = recursive;
  auto doing = plain(std::move(request));
  co_return co_await std::move(doing);
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_files::make_directory(std::string path, bool parents,
                                                                            std::optional<std::uint32_t> mode) {
  auto request = detail::file_request(guest_file_request::verb::make_directory, std::move(path));
  request.parents = parents;
  request.mode = mode;
  auto doing = plain(std::move(request));
  co_return co_await std::move(doing);
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_files::rename(std::string from, std::string to) {
  auto request = detail::file_request(guest_file_request::verb::rename, std::move(from));
  request.other = std::move(to);
  auto doing = plain(std::move(request));
  co_return co_await std::move(doing);
}

}  // namespace berth
