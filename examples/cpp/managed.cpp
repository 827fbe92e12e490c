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

// What happens in the sandbox. Whatever comes of it, the caller removes the sandbox.
asio::awaitable<berth::result<void>> use(berth::docker_sandbox& box) {
  // Lists are named before a co_await: g++ 12 destroys a braced temporary in such an expression twice.
  std::vector<std::string> ps{"ps", "--all"};
  auto listed = co_await box.docker(std::move(ps));
  if (!listed) co_return listed.error();
  std::cout << listed->out;
  co_return berth::result<void>();
}

asio::awaitable<berth::result<void>> job(berth::environment where, std::string rootfs) {
  berth::sandbox_config config;
  config.rootfs = std::move(rootfs);
  config.memory_bytes = 2ull << 30;
  auto box = co_await berth::docker_sandbox::create(
      where, config);  // Docker is ready, or there is nothing and an error says why
  if (!box) co_return box.error();
  auto used = co_await use(*box);
  auto removed = co_await box->terminate();
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
