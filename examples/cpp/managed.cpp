// SPDX-License-Identifier: Apache-2.0
// A sandbox of berth's own with Docker in it, from creation to removal: managed ROOTFS. Root is needed.
// Where berth finds runsc and keeps its state: BERTH_RUNSC, BERTH_ROOT (docs/reference/sandbox.md).
#include <berth/berth.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;

// Images in the sandbox's memory. Without a data root of its own Docker falls back to vfs, which takes far more.
berth::docker_recipe docker_in_memory() {
  berth::docker_recipe recipe;
  recipe.data_root.emplace();
  return recipe;
}

// What happens in the sandbox. Whatever comes of it, the caller removes the sandbox.
asio::awaitable<berth::result<void>> use(std::shared_ptr<berth::sandbox> box, berth::log_sink log) {
  auto options = berth::docker_supervisor_options(*box, docker_in_memory());
  if (!options) co_return options.error();
  berth::guest_daemon docker(box, log);                      // the sandbox keeps its Docker; any process may ask for it
  BERTH_CO_TRY(co_await docker.start(std::move(*options)));  // ready, or an error that says why not

  // Lists are named before a co_await: g++ 12 destroys a braced temporary in such an expression twice.
  std::vector<std::string> ps{"ps", "--all"};
  auto listed = co_await berth::run_docker(*box, std::move(ps));
  if (!listed) co_return listed.error();
  std::cout << listed->out;
  co_return co_await docker.stop(berth::deadline_after(berth::seconds(30)));
}

asio::awaitable<berth::result<void>> job(berth::environment where, std::string rootfs) {
  berth::sandbox_config config;
  config.rootfs = std::move(rootfs);
  config.memory_bytes = 2ull << 30;
  berth::docker_recipe recipe = docker_in_memory();
  BERTH_CO_TRY(co_await berth::add_docker(config, recipe, where));

  auto box = co_await berth::sandbox::create(where, config);
  if (!box) co_return box.error();
  auto used = co_await use(*box, where.log);
  auto removed = co_await (*box)->terminate();
  co_return used ? removed : used;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " ROOTFS\n";
    return 2;
  }
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  berth::environment where = berth::environment::from(env);
  where.log = [](const berth::log_event& event) { std::cerr << berth::format_console(event) << '\n'; };

  int code = 1;
  asio::io_context loop;
  asio::co_spawn(loop, job(where, argv[1]), [&](std::exception_ptr, berth::result<void> done) {
    code = done ? 0 : 1;
    if (!done) std::cerr << done.error().to_string() << '\n';
    loop.stop();
  });
  loop.run();
  return code;
}
