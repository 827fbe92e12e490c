// SPDX-License-Identifier: Apache-2.0
#include "doctor/image_fetch.hpp"

#include "doctor/image_failure.hpp"
#include "loop.hpp"
#include "options/options.hpp"

#include <berth/base/text.hpp>
#include <berth/process/cancellation.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

namespace berth::cli {

namespace asio = boost::asio;

namespace {

result<std::string> find_tool(const std::string& program, const std::string& use) {
  const std::string path = find_program(program);
  if (!path.empty()) return path;
  return make_error(errc::not_found, "cli", "the program is not on PATH", program, "install " + program + ": " + use);
}

// What all files in there have together.
std::uint64_t bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator entries(directory, failed), end;
  for (; !failed && entries != end; entries.increment(failed)) {
    std::error_code gone;
    if (entries->is_regular_file(gone)) bytes += entries->file_size(gone);
  }
  return bytes;
}

// skopeo waits for a registry without end. As run_process; `timeout` where nothing has come into `directory` for `patience`.
asio::awaitable<result<command_result>> run_while_it_grows(spawn_options options, std::string directory,
                                                           duration patience) {
  const auto loop = co_await asio::this_coro::executor;
  auto running = process::start(loop, std::move(options));
  if (!running) co_return std::move(running).error();
  std::uint64_t seen = bytes_in(directory);
  for (time_point until = deadline_after(patience);;) {
    const time_point look = std::min(until, deadline_after(seconds(1)));
    auto waiting = running->wait(look);
    auto ended = co_await std::move(waiting);
    if (ended)
      co_return command_result{*ended, running->output(output_stream::out), running->output(output_stream::err)};
    if (ended.error().code == errc::timeout) {
      const std::uint64_t now = bytes_in(directory);
      if (now != seen) until = deadline_after(patience);
      seen = now;
      if (clock::now() < until) continue;
    }
    auto stopping = running->stop(duration::zero());
    (void)co_await std::move(stopping);
    co_return std::move(ended).error();
  }
}

// For how long a registry may send nothing.
result<duration> registry_patience() {
  constexpr int most = 24 * 60 * 60;
  const std::string given = own_variable("BERTH_REGISTRY_TIMEOUT");
  if (given.empty()) return duration(seconds(60));
  const auto number = parse_number<int>(given);
  if (!number || *number < 1 || *number > most)
    return usage_error("not a number of seconds from 1 to 86400: " + in_quotes(given), "BERTH_REGISTRY_TIMEOUT");
  return duration(seconds(*number));
}

// Its output. They read proxies, credentials and registries.conf by the user's environment, as on the command line.
asio::awaitable<result<std::string>> run_tool(std::vector<std::string> argv, std::string directory, std::string image,
                                              std::optional<duration> patience = {}) {
  const std::string program = argv.front().substr(argv.front().rfind('/') + 1);
  spawn_options options;
  options.argv = std::move(argv);
  for (std::string& variable : own_environment())
    if (!variable.starts_with("TMPDIR=")) options.env.push_back(std::move(variable));
  options.env.push_back("TMPDIR=" + directory);  // what a killed one leaves goes with the directory
  options.parent_death_signal = SIGKILL;
  auto running = patience ? cancellation_as_error(run_while_it_grows(std::move(options), directory, *patience))
                          : run_process(std::move(options));
  auto done = co_await std::move(running);
  if (!done && done.error().code == errc::timeout) {
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(*patience).count();
    co_return explain_failure(program, "a signal of berth's", "nothing came for " + std::to_string(waited) + " s",
                              image);
  }
  if (!done) co_return std::move(done).error();
  if (done->status.success()) co_return std::move(done->out);
  co_return explain_failure(program, done->status.to_string(), done->err.empty() ? done->out : done->err, image);
}

}  // namespace

asio::awaitable<result<fetched_image>> fetch_image(image_reference image, std::string mirror, std::string directory) {
  const std::string name = image.to_string();
  const auto skopeo = find_tool("skopeo", "it fetches images");
  if (!skopeo) co_return skopeo.error();
  const auto umoci = find_tool("umoci", "it unpacks images");
  if (!umoci) co_return umoci.error();
  if (directory.find(':') != std::string::npos)
    co_return usage_error("for skopeo a path ends at its first colon; name a directory without one", "TMPDIR");
  const auto patience = registry_patience();
  if (!patience) co_return patience.error();
  auto source = find_source(image, mirror);
  if (!source) co_return std::move(source).error();

  fetched_image out;
  std::vector<std::string> inspect{*skopeo, "inspect", "--format={{.Digest}}"};
  if (!source->tls) inspect.push_back("--tls-verify=false");
  inspect.push_back(source->name);
  auto asking = run_tool(std::move(inspect), directory, name, *patience);
  auto digest = co_await std::move(asking);
  if (!digest) co_return std::move(digest).error();
  out.digest = digest->substr(0, digest->find('\n'));

  // By its digest, so that what is fetched is what is named, also where the tag has moved meanwhile.
  if (image.transport == "docker") {
    image.digest = out.digest;
    source = find_source(image, mirror);
    if (!source) co_return std::move(source).error();
  }
  const std::string layout = directory + "/oci";
  std::vector<std::string> copy{*skopeo, "copy"};
  if (!source->tls) copy.push_back("--src-tls-verify=false");
  copy.insert(copy.end(), {source->name, "oci:" + layout + ":image"});
  auto copying = run_tool(std::move(copy), directory, name, *patience);
  const auto copied = co_await std::move(copying);
  if (!copied) co_return copied.error();

  // "raw": without the manifest of every file that a plain unpack makes for repacking.
  out.rootfs = directory + "/rootfs";
  std::vector<std::string> unpack{*umoci, "raw", "unpack"};
  if (::geteuid() != 0) unpack.push_back("--rootless");  // no owners and no devices: nothing here looks at them
  unpack.insert(unpack.end(), {"--image=" + layout + ":image", out.rootfs});
  auto unpacking = run_tool(std::move(unpack), directory, name);
  const auto unpacked = co_await std::move(unpacking);
  if (!unpacked) co_return unpacked.error();
  co_return out;
}

}  // namespace berth::cli
