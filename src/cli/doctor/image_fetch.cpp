// SPDX-License-Identifier: Apache-2.0
#include "doctor/image_fetch.hpp"

#include "doctor/image_failure.hpp"
#include "loop.hpp"
#include "options/options.hpp"

#include <unistd.h>

#include <csignal>
#include <vector>

namespace berth::cli {

namespace asio = boost::asio;

namespace {

result<std::string> find_tool(const std::string& program, const std::string& use) {
  const std::string path = find_program(program);
  if (!path.empty()) return path;
  return make_error(errc::not_found, "cli", "the program is not on PATH", program, "install " + program + ": " + use);
}

// Its output. They read proxies, credentials and registries.conf by the user's environment, as on the command line.
asio::awaitable<result<std::string>> run_tool(std::vector<std::string> argv, std::string directory, std::string image) {
  const std::string program = argv.front().substr(argv.front().rfind('/') + 1);
  spawn_options options;
  options.argv = std::move(argv);
  for (std::string& variable : own_environment())
    if (!variable.starts_with("TMPDIR=")) options.env.push_back(std::move(variable));
  options.env.push_back("TMPDIR=" + directory);  // what a killed one leaves goes with the directory
  options.parent_death_signal = SIGKILL;
  auto running = run_process(std::move(options));
  auto done = co_await std::move(running);
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
  auto source = find_source(image, mirror);
  if (!source) co_return std::move(source).error();

  fetched_image out;
  std::vector<std::string> inspect{*skopeo, "inspect", "--format={{.Digest}}"};
  if (!source->tls) inspect.push_back("--tls-verify=false");
  inspect.push_back(source->name);
  auto asking = run_tool(std::move(inspect), directory, name);
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
  auto copying = run_tool(std::move(copy), directory, name);
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
