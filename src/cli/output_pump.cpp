#include "output_pump.hpp"

#include <berth/base/file.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace berth::cli {

namespace asio = boost::asio;

struct output_pump::state {
  state(asio::any_io_executor loop, int read_end, int to)
      : pipe(loop, read_end), over(loop, asio::steady_timer::time_point::max()), target(to) {}
  asio::posix::stream_descriptor pipe;
  asio::steady_timer over;
  unique_fd write_end;
  int target;
  bool done = false;
  int failed = 0;
  std::array<char, 64 * 1024> buffer;

  void end() {
    done = true;
    boost::system::error_code ignored;
    pipe.close(ignored);  // a command that goes on writing gets SIGPIPE, as it would from the stream itself
    over.cancel();
  }
};

result<output_pump> output_pump::open(asio::any_io_executor loop, int target) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cli", "cannot make a pipe");
  auto s = std::make_shared<state>(loop, ends[0], target);
  s->write_end.reset(ends[1]);
  next(s);
  return output_pump(std::move(s));
}

int output_pump::write_end() const { return state_->write_end.get(); }
void output_pump::close_write_end() { state_->write_end.reset(); }

void output_pump::next(const std::shared_ptr<state>& s) {
  s->pipe.async_read_some(asio::buffer(s->buffer), [s](const boost::system::error_code& ec, std::size_t n) {
    if (s->done) return;
    if (ec) return s->end();
    if (const int failed = write_all(s->target, {s->buffer.data(), n}); failed != 0) {
      if (failed != EPIPE) s->failed = failed;
      return s->end();
    }
    next(s);
  });
}

asio::awaitable<result<void>> output_pump::finish(duration patience) {
  const auto s = state_;
  s->write_end.reset();
  if (!s->done) {
    s->over.expires_after(patience);
    boost::system::error_code ignored;
    co_await s->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!s->done) s->end();
  if (s->failed == 0) co_return result<void>();
  co_return errno_error(s->failed, "cli", "the command's output could not be written, and is cut off",
                        s->target == STDERR_FILENO ? "standard error" : "standard output");
}

}  // namespace berth::cli
