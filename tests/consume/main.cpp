// A program that uses berth: something from each layer that needs neither root nor runsc.
#include <berth/berth.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

std::string from_the_second_file();

namespace {

void check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::exit(1);
}

// base: an error crosses the library's border as a value, and as an exception that can be caught by its type.
void errors() {
  const berth::result<int> failed = berth::make_error(berth::errc::not_found, "consumer", "no such thing", "/nowhere");
  check(failed.error().to_string().find("no such thing") != std::string::npos, "the error's text");
  try {
    (void)failed.value();
    check(false, "value() of a failure");
  } catch (const berth::exception& e) {
    check(e.get().code == berth::errc::not_found, "the exception's code");
  }
}

// spec and docker: a spec is made fit for Docker.
void recipe() {
  auto spec = berth::spec_builder::parse(R"({"ociVersion":"1.1.0","process":{"cwd":"/","args":["sh"]},"root":{"path":"rootfs"}})");
  check(spec.has_value(), "parse");
  check(berth::apply_docker(*spec).has_value(), "apply_docker");
  check(spec->to_json().find("CAP_SYS_ADMIN") != std::string::npos, "the capability in the spec");
  const auto twice = berth::spec_builder::parse(R"({"a":1,"a":2})");
  check(!twice && twice.error().code == berth::errc::spec_duplicate_key, "a duplicate key");
}

// runsc, network, docker: pure values.
void values() {
  check(berth::check_container_id("sandbox-1").has_value() && !berth::check_container_id("../x"), "check_container_id");
  const auto pool = berth::parse_ipv4_subnet("10.211.0.0/16");
  check(pool.has_value() && pool->host(2) == "10.211.0.2", "parse_ipv4_subnet");
  const auto plan = berth::plan_docker({});
  check(plan.has_value() && !plan->dockerd_argv.empty(), "plan_docker");
  check(berth::probe_schedule::cheap().pause(0, 0) > berth::duration::zero(), "probe_schedule");
}

// process: a coroutine of the library runs on the program's own loop.
void process() {
  boost::asio::io_context loop;
  berth::host_executor here;
  std::string said;
  boost::asio::co_spawn(
      loop,
      [&]() -> boost::asio::awaitable<void> {
        berth::command echo;
        echo.argv = {"/bin/echo", "hello"};
        const auto done = co_await berth::run_command(here, echo);
        check(done.has_value() && done->status.success(), "run_command");
        said = done->out;
      },
      [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
  loop.run();
  check(said == "hello\n", "what the command said");
}

}  // namespace

int main() {
  errors();
  recipe();
  values();
  process();
  check(from_the_second_file() == "spec_type", "the second file");
  std::printf("berth %s works here\n", BERTH_VERSION_STRING);
  return 0;
}
