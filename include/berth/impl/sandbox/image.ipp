// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/image.hpp>
#include <berth/base/clock.hpp>
#include <berth/base/tar_tree.hpp>
#include <berth/base/text.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/process.hpp>
#include <berth/process/spawn.hpp>
#include <berth/sandbox/detail/image_layout.hpp>
#include <berth/sandbox/image_layer.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace berth {

namespace detail {

inline constexpr std::size_t most_tag_characters = 128;

inline error bad_image_option(std::string why, std::string_view value) {
  return make_error(errc::invalid, "sandbox", std::move(why), std::string(value));
}

/// One image in the making, by umoci in the workplace.
class image_maker {
 public:
  /// The next piece of a tar, appended to what is given; false at its end.
  using source = std::function<result<bool>(std::string&)>;

  image_maker(const image_workplace& place, const image_options& options) : place_(place), options_(options) {}

  boost::asio::awaitable<result<void>> run(std::vector<std::string> words) const {
    spawn_options program = call(std::move(words));
    stdio_options io;
    auto running = run_process(std::move(program), std::move(io), deadline_after(seconds(60)));
    auto done = co_await std::move(running);
    if (!done) co_return not_run(std::move(done).error());
    if (!done->status.success()) co_return not_done(done->status, done->err.empty() ? done->out : done->err);
    co_return result<void>();
  }

  /// `what`: which layer it is, for the image's history.
  boost::asio::awaitable<result<void>> add_layer(source tar, std::string what) const {
    std::vector<std::string> words = {"raw",       "add-layer", "--image", image(), "--history.created_by=" + what,
                                      "/dev/stdin"};
    if (!options_.message.empty()) words.insert(words.end() - 1, "--history.comment=" + options_.message);
    if (!options_.author.empty()) words.insert(words.end() - 1, "--history.author=" + options_.author);
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto executor = co_await boost::asio::this_coro::executor;
    auto umoci = process::start(std::move(executor), call(std::move(words)), std::move(io));
    if (!umoci) co_return not_run(std::move(umoci).error());
    auto sending = send(std::move(tar), &*umoci);
    auto sent = co_await std::move(sending);
    umoci->close_stdin();
    if (sent) {
      auto waiting = umoci->wait();
      auto ended = co_await std::move(waiting);
      if (ended && ended->success()) co_return result<void>();
      if (ended) co_return not_done(*ended, said(*umoci));
      sent = std::move(ended).error();
    }
    auto stopping = umoci->stop(duration::zero());
    const auto ended = co_await std::move(stopping);
    // It reads no more because it has failed.
    if (sent.error().code == errc::closed && ended && !ended->success()) co_return not_done(*ended, said(*umoci));
    co_return std::move(sent).error();
  }

  /// As add_layer, up to what umoci would get.
  boost::asio::awaitable<result<void>> check_layer(source tar) const { return send(std::move(tar), nullptr); }

  std::string image() const { return "layout:" + options_.tag; }

 private:
  // In the workplace, since umoci divides `--image` at a colon.
  spawn_options call(std::vector<std::string> words) const {
    spawn_options out;
    words.insert(words.begin(), options_.umoci);
    out.argv = std::move(words);
    out.env = minimal_environment();
    out.cwd = place_.path();
    return out;
  }

  boost::asio::awaitable<result<void>> send(source tar, process* to) const {
    const auto executor = co_await boost::asio::this_coro::executor;
    image_layer_converter layer;
    std::string piece, out;
    for (bool more = true; more;) {
      piece.clear();
      out.clear();
      auto read = tar(piece);
      if (!read) co_return std::move(read).error();
      more = *read;
      BERTH_CO_TRY(layer.convert(piece, out));
      if (!more) BERTH_CO_TRY(layer.finish(out));
      if (to != nullptr) {
        auto writing = to->write(out);
        BERTH_CO_TRY(co_await std::move(writing));
      }
      // A pipe that is read fast makes nobody wait: others have their turn all the same, a signal too.
      auto turn = boost::asio::post(executor, boost::asio::use_awaitable);
      co_await std::move(turn);
      auto asking = was_cancelled();
      if (co_await std::move(asking)) co_return make_error(errc::cancelled, "sandbox", "cancelled");
    }
    co_return result<void>();
  }

  error not_run(error e) const {
    if (e.code != errc::not_found) return e;
    e.layer = "sandbox";
    e.message = "umoci, which packs images, is not installed";
    e.path = options_.umoci;
    e.hint = "install the package umoci";
    return e;
  }
  static std::string said(const process& umoci) {
    const std::string err = umoci.output(output_stream::err);
    return err.empty() ? umoci.output(output_stream::out) : err;
  }
  static error not_done(const exit_status& status, std::string words) {
    while (!words.empty() && words.back() == '\n') words.pop_back();
    error e = make_error(errc::process_exited, "sandbox", "umoci failed with " + status.to_string());
    if (!words.empty()) e.message += ": " + words.substr(0, words.find('\n'));
    e.detail = std::move(words);
    return e;
  }

  const image_workplace& place_;
  const image_options& options_;
};

/// From its beginning on; `file` is the caller's.
inline image_maker::source changes_source(int file) {
  return [file, at = off_t{0}](std::string& to) mutable -> result<bool> {
    to.resize(std::size_t{256} << 10);
    ssize_t n = 0;
    do n = ::pread(file, to.data(), to.size(), at);
    while (n < 0 && errno == EINTR);
    at += std::max<ssize_t>(n, 0);
    if (n < 0) return errno_error(errno, "sandbox", "cannot read what the sandbox changed");
    to.resize(static_cast<std::size_t>(n));
    return n > 0;
  };
}

inline image_maker::source rootfs_source(tar_packer packer) {
  const auto held = std::make_shared<tar_packer>(std::move(packer));
  return [held](std::string& to) { return held->next(to); };
}

inline std::vector<std::string> image_config_words(const image_options& options, const std::string& image) {
  std::vector<std::string> words = {"config", "--no-history", "--image", image};
  for (const std::string& variable : options.env) words.push_back("--config.env=" + variable);
  for (const std::string& word : options.entrypoint) words.push_back("--config.entrypoint=" + word);
  for (const std::string& word : options.command) words.push_back("--config.cmd=" + word);
  if (!options.workdir.empty()) words.push_back("--config.workingdir=" + options.workdir);
  if (!options.author.empty()) words.push_back("--author=" + options.author);
  return words;
}

inline boost::asio::awaitable<result<committed_image>> make_image(std::shared_ptr<sandbox> box, image_options options) {
  BERTH_CO_TRY(check_image_options(options));
  const std::string rootfs = box->record().rootfs;
  std::error_code failed;
  if (std::filesystem::equivalent(rootfs, "/", failed))
    co_return make_error(errc::unsupported, "sandbox",
                         "the root file system is this host's own, and no image is made of that", rootfs);
  auto packer = tar_packer::open(rootfs, ".", true, "sandbox");
  if (!packer) co_return std::move(packer).error();
  auto place = image_workplace::make(options.layout);
  if (!place) co_return std::move(place).error();
  const image_maker maker(*place, options);
  std::vector<std::string> words = {"init", "--layout", "layout"};
  auto beginning = maker.run(std::move(words));
  BERTH_CO_TRY(co_await std::move(beginning));
  words = {"new", "--image", maker.image()};
  auto naming = maker.run(std::move(words));
  BERTH_CO_TRY(co_await std::move(naming));
  // First what is short: a sandbox that has ended is told of at once.
  auto exporting = box->export_changes(place->path("changes.tar"));
  BERTH_CO_TRY(co_await std::move(exporting));
  unique_fd changes(::open(place->path("changes.tar").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!changes) co_return errno_error(errno, "sandbox", "cannot read what the sandbox changed");
  // What no image can hold is told before the root file system is packed, which takes long.
  auto first_look = changes_source(changes.get());
  auto checking = maker.check_layer(std::move(first_look));
  BERTH_CO_TRY(co_await std::move(checking));
  auto base = rootfs_source(std::move(*packer));
  auto below = maker.add_layer(std::move(base), "berth: the root file system");
  BERTH_CO_TRY(co_await std::move(below));
  auto upper = changes_source(changes.get());
  auto above = maker.add_layer(std::move(upper), "berth: what the sandbox changed");
  BERTH_CO_TRY(co_await std::move(above));
  words = image_config_words(options, maker.image());
  auto configuring = maker.run(std::move(words));
  BERTH_CO_TRY(co_await std::move(configuring));
  // umoci leaves a manifest of every step.
  words = {"gc", "--layout", "layout"};
  auto cleaning = maker.run(std::move(words));
  BERTH_CO_TRY(co_await std::move(cleaning));
  auto measured = place->measure();
  if (!measured) co_return std::move(measured).error();
  auto publishing = place->publish(options.tag);
  BERTH_CO_TRY(co_await std::move(publishing));
  co_return committed_image{std::move(measured->digest), measured->size};
}

}  // namespace detail

BERTH_DECL result<void> check_image_tag(std::string_view tag) {
  const auto is_plain = [](char c) { return c != '_' && is_word_character(c); };
  bool good =
      !tag.empty() && tag.size() <= detail::most_tag_characters && is_plain(tag.front()) && is_plain(tag.back());
  for (std::size_t i = 0; good && i < tag.size(); ++i) {
    if (is_plain(tag[i])) continue;
    const std::string_view before = tag.substr(0, i);
    const bool second_dash = before.ends_with('-') && !before.ends_with("--");
    good =
        tag[i] == '-' ? is_plain(tag[i - 1]) || second_dash : (tag[i] == '.' || tag[i] == '_') && is_plain(tag[i - 1]);
  }
  if (!good)
    return detail::bad_image_option(
        "an image's tag is at most 128 letters and digits, with one of . _ - or -- between them", tag);
  return {};
}

BERTH_DECL result<void> check_image_options(const image_options& options) {
  BERTH_TRY(check_image_tag(options.tag));
  const auto has_nul = [](const std::string& text) { return text.find('\0') != text.npos; };
  if (options.layout.empty() || options.layout.find_first_not_of('/') == options.layout.npos || has_nul(options.layout))
    return detail::bad_image_option("the image layout is no directory of its own", options.layout);
  // oci:LAYOUT:TAG is divided at the first one.
  if (options.layout.find(':') != options.layout.npos)
    return detail::bad_image_option("the path of an image layout cannot have a colon in it", options.layout);
  for (const std::string& variable : options.env)
    if (variable.find('=') == 0 || variable.find('=') == variable.npos || has_nul(variable))
      return detail::bad_image_option("a variable is NAME=VALUE", variable.substr(0, variable.find('=')));
  if ((!options.workdir.empty() && !options.workdir.starts_with('/')) || has_nul(options.workdir))
    return detail::bad_image_option("the working directory of an image is an absolute path", options.workdir);
  for (const auto* list : {&options.entrypoint, &options.command})
    for (const std::string& word : *list)
      if (word.empty() || has_nul(word))
        return detail::bad_image_option("an empty word of a command, which umoci has no form for", {});
  if (has_nul(options.author) || has_nul(options.message))
    return detail::bad_image_option("a NUL in what is said of an image", {});
  return {};
}

BERTH_DECL boost::asio::awaitable<result<committed_image>> commit_image(std::shared_ptr<sandbox> box,
                                                                        image_options options) {
  auto work = detail::make_image(std::move(box), std::move(options));
  auto done = co_await cancellation_as_error(std::move(work));
  co_return done;
}

}  // namespace berth
