// SPDX-License-Identifier: Apache-2.0
// A command as an operation: its options, its output, its end.
#include "detail/exec.hpp"

#include "detail/command_options.hpp"
#include "detail/json_out.hpp"

#include <berth/base/base64.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace berth::capi {

// ---- options ----

result<exec_request> read_exec_request(std::string_view options) {
  options_text given;
  BERTH_TRY(given.parse(options));
  auto o = given.root("exec");
  exec_request r;
  read_command(o, r.what);
  using input = stdio_options::input;
  auto input_text = o.text("stdin_text");
  if (input_text) {
    r.in = input::text;
    r.in_text = std::move(*input_text);
  }
  o.into(r.in, o.word("stdin", std::array{input::null, input::pipe, input::text}));
  using sink = exec_request::sink;
  static constexpr std::array sinks{sink::events, sink::capture, sink::null};
  o.into(r.out, o.word("stdout", sinks));
  o.into(r.err, o.word("stderr", sinks));
  if (const auto limit = o.integer("capture_limit")) r.capture_limit = static_cast<std::size_t>(*limit);
  o.finish();
  need_program(o, r.what);
  BERTH_TRY(given.outcome());
  return r;
}

// ---- output through pipes of ours, so that a slow reader holds the command back ----

namespace {

struct output_pump {
  output_pump(asio::io_context& context, std::int32_t stream) : in(context), code(stream) {}
  asio::posix::stream_descriptor in;
  const std::int32_t code;
  bool done = true;
  bool held_back = false;
  time_point last_read = clock::now();
};

struct exec_pumps {
  exec_pumps(asio::io_context& context, std::size_t limit)
      : streams{output_pump(context, 1), output_pump(context, 2)}, flow(std::make_shared<output_flow>(limit)) {
    flow->wake = [this] { room.wake(); };
  }
  ~exec_pumps() { flow->wake = nullptr; }
  std::array<output_pump, 2> streams;
  std::shared_ptr<output_flow> flow;
  loop_signal room;      // the reader took some
  loop_signal finished;  // a stream ended
  bool closed = false;
  bool held = false;          // berth_exec_hold
  std::optional<error> lost;  // why output could not be handed on

  void close() {
    closed = true;
    for (auto& s : streams) {
      boost::system::error_code ec;
      s.in.close(ec);
    }
    room.wake();
  }
  bool done() const { return streams[0].done && streams[1].done; }
};

asio::awaitable<void> pump_output(std::shared_ptr<loop_core> loop, std::shared_ptr<exec_pumps> pumps, std::size_t which,
                                  std::uint64_t op, std::uint64_t user_data) {
  output_pump& pump = pumps->streams[which];
  output_flow& flow = *pumps->flow;
  std::string buffer(64 * 1024, '\0');
  while (!pumps->closed) {
    while ((pumps->held || flow.queued.load(std::memory_order_acquire) >= flow.limit) && !pumps->closed) {
      pump.held_back = true;
      if (pumps->held) {
        co_await pumps->room.wait();
        continue;
      }
      flow.waiting.store(true, std::memory_order_seq_cst);
      if (flow.queued.load(std::memory_order_seq_cst) < flow.limit) break;  // taken in between: no wake may come
      co_await pumps->room.wait();
    }
    pump.held_back = false;
    boost::system::error_code ec;
    const auto place = asio::buffer(buffer);
    const std::size_t n = co_await pump.in.async_read_some(place, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || pumps->closed) break;
    pump.last_read = clock::now();
    try {
      loop->emit(BERTH_EVENT_OUTPUT, op, user_data, pump.code, buffer.substr(0, n), false, pumps->flow);
    } catch (...) {
      pumps->lost = exception_to_error();
      boost::system::error_code ignored;
      pump.in.close(ignored);  // so that the command does not wait for a reader that is gone
      break;
    }
  }
  pump.done = true;
  pumps->finished.wake();
}

// The write end for the child; the read end goes to the pump.
result<unique_fd> open_pump(output_pump& pump) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "capi", "no pipe could be made");
  unique_fd ours(ends[0]);
  unique_fd theirs(ends[1]);
  boost::system::error_code ec;
  pump.in.assign(ours.get(), ec);
  if (ec) return errno_error(ec.value(), "capi", "the loop cannot watch a pipe");
  (void)ours.release();
  pump.in.non_blocking(true, ec);
  pump.done = false;
  return theirs;
}

void write_captured(json_writer& out, std::string name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    out.key(name).string(bytes);
  } else {
    out.key(name + "_base64").string(to_base64(bytes));
  }
}

// Output that a caller's executor hands over. What it says right after "started" may be here before the command is known
// to run: it waits for STARTED, which comes first.
struct supplied_output {
  std::shared_ptr<loop_core> loop;
  std::uint64_t op = 0;
  std::uint64_t user_data = 0;
  bool started = false;
  std::vector<std::pair<std::int32_t, std::string>> early;

  void take(std::int32_t stream, std::string_view data) {
    if (started) loop->emit(BERTH_EVENT_OUTPUT, op, user_data, stream, std::string(data));
    else early.emplace_back(stream, data);
  }
  void start() {
    started = true;
    for (auto& [stream, data] : early) loop->emit(BERTH_EVENT_OUTPUT, op, user_data, stream, std::move(data));
    early.clear();
  }
};

// Whatever way the operation ends, those who wait for the command are told.
class aspect_end {
 public:
  aspect_end(std::shared_ptr<exec_aspect> a, std::shared_ptr<exec_pumps> p)
      : aspect(std::move(a)), pumps(std::move(p)) {}
  aspect_end(const aspect_end&) = delete;
  aspect_end& operator=(const aspect_end&) = delete;
  ~aspect_end() {
    aspect->ended = true;
    // A grandchild may hold the other end open and never read: nobody writes for a command that has ended.
    if (aspect->running) aspect->running->close_stdin();
    aspect->running.reset();
    aspect->hold = nullptr;
    aspect->changed.wake();
    aspect->turn.wake();
    pumps->close();
  }

 private:
  std::shared_ptr<exec_aspect> aspect;
  std::shared_ptr<exec_pumps> pumps;
};

// runsc tells the pid inside once the command runs, some milliseconds after its own start; nothing where it could not run.
asio::awaitable<void> wait_for_pid(running_command& running) {
  loop_signal nobody;
  const time_point until = deadline_after(seconds(10));
  for (milliseconds pause(1); running.pid() == 0 && !running.status() && clock::now() < until;) {
    const time_point next = deadline_after(pause);
    co_await nobody.wait(next);
    const bool cancelled = co_await op_is_cancelled();
    if (cancelled) co_return;
    pause = std::min(pause * 2, milliseconds(8));
  }
}

asio::awaitable<op_result> run_exec(std::shared_ptr<executor_core> where, std::shared_ptr<exec_request> request,
                                    op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::shared_ptr<loop_core> loop = where->loop;
  auto aspect = std::make_shared<exec_aspect>();
  op->aspect = aspect;
  auto pumps = std::make_shared<exec_pumps>(loop->context(), loop->output_limit());
  const aspect_end end(aspect, pumps);
  auto place = where->place();
  if (!place) co_return std::move(place).error();

  stdio_options io;
  io.in = request->in;
  io.in_text = std::move(request->in_text);
  io.capture_limit = request->capture_limit;
  const bool pipes = where->takes_descriptors();
  if (pipes) {
    aspect->hold = [p = pumps.get()](bool hold) {  // gone with the aspect's end, before the pumps
      p->held = hold;
      p->room.wake();
    };
  }
  unique_fd theirs[2];
  const exec_request::sink sinks[2] = {request->out, request->err};
  for (std::size_t i = 0; i < 2; ++i) {
    auto& how = i == 0 ? io.out : io.err;
    how = sinks[i] == exec_request::sink::capture ? stdio_options::output::capture : stdio_options::output::null;
    if (sinks[i] != exec_request::sink::events) continue;
    if (!pipes) {
      how = stdio_options::output::capture;
      continue;
    }
    auto fd = open_pump(pumps->streams[i]);
    if (!fd) co_return std::move(fd).error();
    theirs[i] = std::move(*fd);
    how = stdio_options::output::fd;
    (i == 0 ? io.out_fd : io.err_fd) = theirs[i].get();
  }
  auto supplied = std::make_shared<supplied_output>();
  if (!pipes) {
    // The caller supplies the output itself, at its own pace.
    supplied->loop = loop;
    supplied->op = op->id;
    supplied->user_data = op->user_data;
    io.on_data = [supplied, events = std::array{sinks[0], sinks[1]}](output_stream which, std::string_view data) {
      const bool out = which == output_stream::out;
      if (events[out ? 0 : 1] == exec_request::sink::events) supplied->take(out ? 1 : 2, data);
    };
  }

  auto started = co_await (*place)->start(std::move(request->what), std::move(io));
  for (auto& fd : theirs) fd.reset();
  if (!started) co_return std::move(started).error();
  const std::shared_ptr<running_command> running = std::move(*started);
  aspect->running = running;
  aspect->changed.wake();
  if (pipes) co_await wait_for_pid(*running);
  loop->emit(BERTH_EVENT_STARTED, op->id, op->user_data, running->pid(), {});
  supplied->start();
  for (std::size_t i = 0; i < 2; ++i) {
    if (!pumps->streams[i].done) {
      asio::co_spawn(loop->context(), pump_output(loop, pumps, i, op->id, op->user_data), asio::detached);
    }
  }

  auto status = co_await running->wait(time_point::max());
  if (!status) {
    // Cancelled, or past the deadline, or lost: end it, and see that it is gone. What cancelled the wait must not cancel
    // the sending of the signal too.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const time_point soon = deadline_after(killing_patience);
    (void)co_await until_deadline(running->signal(SIGKILL), soon);
    (void)co_await running->wait(soon);
    co_return std::move(status).error();
  }
  // What is still in the pipes. A grandchild may hold them open: a second of silence is the end then.
  while (!pumps->done()) {
    co_await pumps->finished.wait(deadline_after(milliseconds(250)));
    const bool cancelled = co_await op_is_cancelled();
    if (cancelled) co_return make_error(errc::cancelled, "capi", "the operation was cancelled");
    bool quiet = true;
    for (const auto& s : pumps->streams) {
      quiet = quiet && (s.done || (!s.held_back && clock::now() - s.last_read > seconds(1)));
    }
    if (quiet) pumps->close();
    if (quiet) break;
  }
  if (pumps->lost) co_return *pumps->lost;

  op_outcome outcome;
  outcome.code = status->shell_code();
  json_writer out;
  out.open_object().key("exit_code").number(status->code).key("signal").number(status->signal);
  if (request->out == exec_request::sink::capture) write_captured(out, "stdout", running->output(output_stream::out));
  if (request->err == exec_request::sink::capture) write_captured(out, "stderr", running->output(output_stream::err));
  outcome.payload = out.close_object().take();
  co_return outcome;
}

}  // namespace

result<std::uint64_t> start_exec(const std::shared_ptr<executor_core>& where, std::string_view options,
                                 const berth_op_options* op_options) {
  auto request = read_exec_request(options);
  if (!request) return std::move(request).error();
  auto shared = std::make_shared<exec_request>(std::move(*request));
  return where->loop->submit(op_options,
                             [where, shared](op_pointer op) { return run_exec(where, shared, std::move(op)); });
}

}  // namespace berth::capi
