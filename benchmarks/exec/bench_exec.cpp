// SPDX-License-Identifier: Apache-2.0
// A command in a sandbox through its guest beside `runsc exec`, in turns: /bin/true from start to end, and a long output from
// start to its first byte and to its end. Then files through the guest beside cat run as a command through it: 256 MiB in and
// out, and a thousand small ones. Needs root, BERTH_RUNSC and BERTH_TEST_ROOTFS.
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace berth;
using milliseconds_of = std::chrono::duration<double, std::milli>;

constexpr int rounds = 15;
constexpr int commands_a_round = 10;
constexpr int output_rounds = 9;
constexpr std::size_t output_bytes = 256u << 20;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_exec: %s\n", why.c_str());
  std::exit(2);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

double since(std::chrono::steady_clock::time_point start) {
  return milliseconds_of(std::chrono::steady_clock::now() - start).count();
}

template <class T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<result<T>> work) {
  std::optional<result<T>> out;
  boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr thrown, result<T> r) {
    if (thrown) std::rethrow_exception(thrown);
    out.emplace(std::move(r));
  });
  loop.restart();
  loop.run();
  if (!*out) give_up(out->error().to_string());
  if constexpr (!std::is_void_v<T>) return std::move(**out);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) give_up(std::string(name) + " is not set; run this through `make bench`");
  return value;
}

/// What is measured: the three ways to the same sandbox.
enum class way { guest, runsc_exec, bare };

/// `runsc exec` as one would write it by hand.
class bare_runsc final : public executor {
 public:
  explicit bare_runsc(const sandbox_record& record) : record_(record) {}
  boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) override {
    command client;
    client.argv = {record_.runsc, "--root=" + record_.runsc_root(), "exec", record_.container_id()};
    client.argv.insert(client.argv.end(), what.argv.begin(), what.argv.end());
    auto work = host_.start(std::move(client), std::move(io));
    co_return co_await std::move(work);
  }

 private:
  sandbox_record record_;
  host_executor host_;
};

struct bench {
  boost::asio::io_context loop{1};
  std::shared_ptr<sandbox> box;
  std::unique_ptr<bare_runsc> bare;

  executor& by(way which) {
    box->use_runsc_exec(which == way::runsc_exec);
    return which == way::bare ? static_cast<executor&>(*bare) : *box;
  }

  double command_ms(way which) {
    executor& place = by(which);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < commands_a_round; ++i) {
      command what;
      what.argv = {"/bin/true"};
      const command_result done = run(loop, run_command(place, std::move(what)));
      if (!done.status.success()) give_up("/bin/true: " + done.status.to_string() + ": " + done.err);
    }
    return since(start) / commands_a_round;
  }

  /// What any way has to pay: a shell inside that starts one /bin/true after another.
  double floor_ms() {
    constexpr int many = 50;
    command what;
    what.argv = {"/bin/sh", "-c", "i=0; while [ $i -lt $1 ]; do /bin/true; i=$((i+1)); done", "sh",
                 std::to_string(many)};
    const auto start = std::chrono::steady_clock::now();
    const command_result done = run(loop, run_command(by(way::guest), std::move(what)));
    if (!done.status.success()) give_up("sh: " + done.err);
    return since(start) / many;
  }

  struct output_times {
    double first_byte_ms = 0;
    double all_ms = 0;
  };
  output_times output_ms(way which) {
    executor& place = by(which);
    output_times out;
    std::size_t came = 0;
    command what;
    what.argv = {"/usr/bin/head", "-c", std::to_string(output_bytes), "/dev/zero"};
    const auto start = std::chrono::steady_clock::now();
    stdio_options io;
    io.on_data = [&](output_stream, std::string_view data) {
      if (came == 0) out.first_byte_ms = since(start);
      came += data.size();
    };
    (void)run(loop, run_command(place, std::move(what), std::move(io)));
    out.all_ms = since(start);
    if (came != output_bytes) give_up("output is missing");
    return out;
  }
};

constexpr int file_rounds = 5;
constexpr int small_files = 1000;

struct file_times {
  double in_ms = 0, out_ms = 0, small_in_ms = 0, small_out_ms = 0;
};

file_times by_files(bench& b, const std::string& large) {
  file_times out;
  auto start = std::chrono::steady_clock::now();
  run(b.loop, b.box->files().write_all("/tmp/large", large, {}));
  out.in_ms = since(start);
  start = std::chrono::steady_clock::now();
  if (run(b.loop, b.box->files().read_all("/tmp/large", large.size())) != large) give_up("something else came back");
  out.out_ms = since(start);
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < small_files; ++i)
    run(b.loop, b.box->files().write_all("/tmp/small-" + std::to_string(i), std::string(1000, 'x'), {}));
  out.small_in_ms = since(start);
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < small_files; ++i)
    (void)run(b.loop, b.box->files().read_all("/tmp/small-" + std::to_string(i), 1u << 20));
  out.small_out_ms = since(start);
  return out;
}

file_times by_commands(bench& b, const std::string& large) {
  b.box->use_runsc_exec(false);
  const auto put = [&](const std::string& path, std::string data) {
    command what;
    what.argv = {"sh", "-c", "cat > \"$1.new\" && mv \"$1.new\" \"$1\"", "sh", path};
    stdio_options io;
    io.in = stdio_options::input::text;
    io.in_text = std::move(data);
    const command_result done = run(b.loop, run_command(*b.box, std::move(what), std::move(io)));
    if (!done.status.success()) give_up("cat: " + done.err);
  };
  const auto get = [&](const std::string& path, std::size_t size) {
    command what;
    what.argv = {"cat", path};
    std::string all;
    stdio_options io;
    io.on_data = [&](output_stream, std::string_view data) { all += data; };
    (void)run(b.loop, run_command(*b.box, std::move(what), std::move(io)));
    if (all.size() != size) give_up("something else came back");
  };
  file_times out;
  auto start = std::chrono::steady_clock::now();
  put("/tmp/large", large);
  out.in_ms = since(start);
  start = std::chrono::steady_clock::now();
  get("/tmp/large", large.size());
  out.out_ms = since(start);
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < small_files; ++i) put("/tmp/small-" + std::to_string(i), std::string(1000, 'x'));
  out.small_in_ms = since(start);
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < small_files; ++i) get("/tmp/small-" + std::to_string(i), 1000);
  out.small_out_ms = since(start);
  return out;
}

void show(const char* what, const std::vector<double>& ours, const std::vector<double>& peer, const char* unit) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peer[i]);
  std::printf("%-44s %9.2f %9.2f %s   ratio %.3f\n", what, median(ours), median(peer), unit, median(ratios));
}

}  // namespace

int main() {
  std::string root = "/tmp/berth-bench-XXXXXX";
  if (::geteuid() != 0) give_up("this needs root");
  if (::mkdtemp(root.data()) == nullptr) give_up("no directory in /tmp");
  environment where;
  where.root = root;
  where.runsc = variable("BERTH_RUNSC");
  sandbox_config config;
  config.rootfs = variable("BERTH_TEST_ROOTFS");
  config.network = network_mode::none;
  bench b;
  b.box = run(b.loop, sandbox::create(where, config));
  b.bare = std::make_unique<bare_runsc>(b.box->record());

  std::vector<double> guest, by_exec, bare, floor, bytes_guest, bytes_bare, first_guest, first_bare;
  for (const way which : {way::guest, way::runsc_exec, way::bare}) (void)b.command_ms(which);  // warm
  for (int i = 0; i < rounds; ++i) {
    guest.push_back(b.command_ms(way::guest));
    by_exec.push_back(b.command_ms(way::runsc_exec));
    bare.push_back(b.command_ms(way::bare));
    floor.push_back(b.floor_ms());
  }
  for (int i = 0; i < output_rounds; ++i) {
    const auto ours = b.output_ms(way::guest), peer = b.output_ms(way::bare);
    bytes_guest.push_back(ours.all_ms);
    bytes_bare.push_back(peer.all_ms);
    first_guest.push_back(ours.first_byte_ms);
    first_bare.push_back(peer.first_byte_ms);
  }
  std::printf("%-44s %9s %9s\n", "", "berth", "runsc exec");
  show("/bin/true through the guest", guest, bare, "ms");
  show("/bin/true by berth's runsc exec", by_exec, bare, "ms");
  show("/bin/true by a shell inside (gVisor's own)", floor, bare, "ms");
  show("first byte of 256 MiB through the guest", first_guest, first_bare, "ms");
  show("256 MiB through the guest", bytes_guest, bytes_bare, "ms");
  const std::string large(output_bytes, 'b');
  std::vector<double> ours[4], theirs[4];
  for (int i = 0; i < file_rounds; ++i) {
    const file_times files = by_files(b, large), commands = by_commands(b, large);
    const double mine[] = {files.in_ms, files.out_ms, files.small_in_ms, files.small_out_ms};
    const double other[] = {commands.in_ms, commands.out_ms, commands.small_in_ms, commands.small_out_ms};
    for (int k = 0; k < 4; ++k) {
      ours[k].push_back(mine[k]);
      theirs[k].push_back(other[k]);
    }
  }
  std::printf("%-44s %9s %9s\n", "", "files", "commands");
  const char* names[] = {"256 MiB written", "256 MiB read", "1000 files of 1 KB written", "1000 files of 1 KB read"};
  for (int k = 0; k < 4; ++k) show(names[k], ours[k], theirs[k], "ms");
  run(b.loop, b.box->terminate());
  std::filesystem::remove_all(root);
  return 0;
}
