// SPDX-License-Identifier: Apache-2.0
#include "detail/loop.hpp"

#include <cstring>

namespace berth::capi {

result<void> read_struct_bytes(const void* given, void* mine, std::size_t size, std::size_t least, const char* name) {
  std::uint32_t stated = 0;
  std::memcpy(&stated, given, sizeof stated);
  const auto* bytes = static_cast<const unsigned char*>(given);
  if (stated < least) {
    return make_error(errc::invalid, "capi", std::string(name) + ".struct_size is " + std::to_string(stated), name,
                      "set it to the size of the structure, or call its _init");
  }
  if (stated > 4096) {
    return make_error(errc::too_big, "capi", std::string(name) + ".struct_size is " + std::to_string(stated), name,
                      "set it to the size of the structure, or call its _init");
  }
  for (std::size_t i = size; i < stated; ++i) {
    if (bytes[i] != 0) {
      return make_error(errc::too_big, "capi", std::string(name) + " holds options that this libberth does not know",
                        name, "use the libberth that the program was built for, or leave the new options zero");
    }
  }
  std::memcpy(mine, given, stated < size ? stated : size);
  return {};
}

static result<void> check_reserved(const std::uint64_t* reserved, std::size_t count, const char* name) {
  for (std::size_t i = 0; i < count; ++i) {
    if (reserved[i] != 0) {
      return make_error(errc::too_big, "capi", std::string(name) + ".reserved is not zero", name,
                        "zero the structure before it is filled in");
    }
  }
  return {};
}

result<op_settings> read_op_options(const berth_op_options* options) {
  auto given = read_struct(options, "op_options");
  if (!given) return std::move(given).error();
  BERTH_TRY(check_reserved(given->reserved, 3, "op_options"));
  if (given->flags != 0) {
    return make_error(errc::too_big, "capi", "op_options.flags holds flags that this libberth does not know",
                      "op_options");
  }
  op_settings settings;
  settings.user_data = given->user_data;
  const auto most = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time_point::max().time_since_epoch()).count());
  if (given->deadline_ns != 0 && given->deadline_ns < most) {
    settings.deadline = time_point(std::chrono::nanoseconds(given->deadline_ns));
  }
  return settings;
}

static void init_struct(void* options, std::size_t size) noexcept {
  if (options == nullptr || size < sizeof(std::uint32_t) || size > 4096) return;
  std::memset(options, 0, size);
  const auto stated = static_cast<std::uint32_t>(size);
  std::memcpy(options, &stated, sizeof stated);
}

}  // namespace berth::capi

using berth::capi::clear_out;
using berth::capi::guard;
using berth::capi::loop_object;

void berth_loop_options_init(berth_loop_options* options, size_t size) { berth::capi::init_struct(options, size); }
void berth_op_options_init(berth_op_options* options, size_t size) { berth::capi::init_struct(options, size); }

berth_status berth_loop_create(const berth_loop_options* options, berth_loop** loop, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(loop, "loop"));
    auto given = berth::capi::read_struct(options, "options");
    if (!given) return std::move(given).error();
    BERTH_TRY(berth::capi::check_reserved(given->reserved, 4, "options"));
    auto core = berth::capi::loop_core::start(*given);
    if (!core) return std::move(core).error();
    auto handed = berth::capi::hand_out<loop_object>(loop, *core);
    if (!handed) (*core)->join();
    return handed;
  });
}

berth_status berth_loop_fd(berth_loop* loop, int32_t* fd, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(fd, "fd"));
    *fd = -1;
    BERTH_PIN(l, loop_object, loop);
    BERTH_TRY(l->core->check());
    *fd = l->core->fd();
    return {};
  });
}

// What poll and wait share: `take` gives the number of events.
template <class Take>
static berth_status loop_take(berth_loop* loop, berth_event* events, std::size_t cap, std::size_t* count,
                              berth_error** err, Take take) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(count, "count"));
    if (events == nullptr || cap == 0) {
      return berth::make_error(berth::errc::invalid, "capi", "there is no room for an event", "events",
                               "pass an array of at least one berth_event");
    }
    std::shared_ptr<berth::capi::loop_core> core;
    {
      BERTH_PIN(l, loop_object, loop);
      core = l->core;
    }
    auto n = take(*core);
    if (!n) return std::move(n).error();
    *count = *n;
    return {};
  });
}

berth_status berth_loop_poll(berth_loop* loop, berth_event* events, size_t cap, size_t* count, berth_error** err) {
  return loop_take(loop, events, cap, count, err, [&](berth::capi::loop_core& core) { return core.take(events, cap); });
}

berth_status berth_loop_wait(berth_loop* loop, berth_event* events, size_t cap, size_t* count, int32_t timeout_ms,
                             berth_error** err) {
  return loop_take(loop, events, cap, count, err,
                   [&](berth::capi::loop_core& core) { return core.wait(events, cap, timeout_ms); });
}

berth_status berth_loop_close(berth_loop* loop, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(l, loop_object, loop);
    BERTH_TRY(l->core->check());
    l->core->close();
    return {};
  });
}

void berth_loop_free(berth_loop* loop) {
  std::shared_ptr<berth::capi::loop_core> core;
  {
    berth::capi::pinned<loop_object> l(loop);
    if (!l) return;
    core = l->core;
  }
  if (!berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(loop), loop_object::kind)) return;
  try {
    core->join();
  } catch (...) {
    // No memory for the message that closes it. Its thread goes on and keeps it: a leak, but no crash.
  }
}

berth_status berth_op_cancel(berth_loop* loop, uint64_t op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(l, loop_object, loop);
    BERTH_TRY(l->core->check());
    l->core->cancel(op);
    return {};
  });
}

void berth_event_clear(berth_event* event) {
  if (event == nullptr) return;
  berth_error_free(event->err);
  berth_buffer_free(static_cast<berth_buffer*>(event->payload));
  *event = berth_event{};
}
