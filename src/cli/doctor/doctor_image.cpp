// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor_image.hpp"

#include "doctor/doctor_machine.hpp"
#include "doctor/image_fetch.hpp"
#include "interrupts.hpp"
#include "loop.hpp"
#include "options/options.hpp"
#include "progress.hpp"
#include "doctor/scratch_directory.hpp"
#include "ticker.hpp"

#include <berth/process/cancellation.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

asio::awaitable<result<image_examination>> examine(environment where, image_reference image, progress& bar) {
  const auto loop = co_await asio::this_coro::executor;
  // Before the directory is made and until it is removed: a signal is kept meanwhile.
  interrupts signals(loop);
  auto directory = scratch_directory::make();
  if (!directory) co_return std::move(directory).error();
  result<fetched_image> fetched = fetched_image();
  {
    const ticker ticking(loop, bar);
    bar.start("fetching " + printable(image.to_string(), false));
    auto work = fetch_image(image, own_variable("BERTH_REGISTRY_MIRROR"), directory->path());
    fetched = co_await until_interrupted(std::move(work), signals);
    bar.stop();
  }
  image_examination out;
  if (fetched && signals.first() == 0) {
    out.image = {image.to_string(), fetched->digest};
    out.checks = examine_machine(where, {fetched->rootfs, out.image.reference + ", " + out.image.digest});
  }
  const auto removed = directory->remove();
  // The checks and the removal held up the loop: what came meanwhile is told now.
  auto moment = pause_for(milliseconds(2));
  (void)co_await std::move(moment);
  out.signal = signals.first();
  if (!removed) co_return removed.error();
  if (out.signal != 0) co_return out;
  if (!fetched) co_return std::move(fetched).error();
  co_return out;
}

}  // namespace

result<image_examination> examine_image(const environment& where, const image_reference& image,
                                        const output_options& output) {
  progress bar(output);
  return run_loop(examine(where, image, bar));
}

}  // namespace berth::cli
