// SPDX-License-Identifier: Apache-2.0
#include "detail/handle.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace berth::capi {

static_assert(sizeof(void*) == 8, "handles need 64-bit pointers");

// A slot's word: generation (31 bits, from 32 up), kind (6 bits, from 26), exclusive (25), closed (24), pins (24 bits).
static constexpr std::uint64_t slot_pin_mask = (1u << 24) - 1;
static constexpr std::uint64_t slot_closed = 1u << 24;
static constexpr std::uint64_t slot_exclusive = 1u << 25;
static constexpr int slot_kind_shift = 26;
static constexpr std::uint64_t slot_last_generation = 0x7fffffff;

struct handle_slot {
  std::atomic<std::uint64_t> word{0};
  std::atomic<std::uint32_t> next{0};  // of the free list: slot + 1
  handle_object* object = nullptr;     // written before the word is published, read while pinned
};

static constexpr std::uint32_t slots_per_chunk = 1024;
static constexpr std::uint32_t max_chunks = (1u << 24) / slots_per_chunk;

// Never destroyed and never given back: a thread of the caller's may use a stale handle at any time, even at exit.
static constinit std::atomic<handle_slot*> slot_chunks[max_chunks]{};
static constinit std::atomic<std::uint32_t> slot_count{0};
static constinit std::atomic<std::uint64_t> free_slots{0};  // tag << 32 | slot + 1
static constinit std::atomic<std::size_t> live_handles[static_cast<int>(handle_kind::count)]{};

const char* handle_kind_name(handle_kind kind) noexcept {
  switch (kind) {
    case handle_kind::error: return "error";
    case handle_kind::buffer: return "buffer";
    case handle_kind::spec: return "spec";
    case handle_kind::runsc: return "runsc";
    case handle_kind::argv: return "argv";
    case handle_kind::loop: return "loop";
    case handle_kind::executor: return "executor";
    case handle_kind::daemon: return "daemon";
    case handle_kind::sandbox: return "sandbox";
    case handle_kind::none:
    case handle_kind::count: break;
  }
  return "handle";
}

static handle_slot* slot_at(std::uint32_t index) noexcept {
  handle_slot* chunk = slot_chunks[index / slots_per_chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &chunk[index % slots_per_chunk];
}

static void give_back_slot(handle_slot& slot, std::uint32_t index) noexcept {
  std::uint64_t head = free_slots.load(std::memory_order_relaxed);
  for (;;) {
    slot.next.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
    const std::uint64_t fresh =
        ((head >> 32) + 1) << 32 | (index + 1);  // the tag tells a list that changed and came back
    if (free_slots.compare_exchange_weak(head, fresh, std::memory_order_release, std::memory_order_relaxed)) return;
  }
}

static handle_slot* take_slot(std::uint32_t& index) noexcept {
  std::uint64_t head = free_slots.load(std::memory_order_acquire);
  while (static_cast<std::uint32_t>(head) != 0) {
    index = static_cast<std::uint32_t>(head) - 1;
    handle_slot* slot = slot_at(index);
    const std::uint64_t fresh = ((head >> 32) + 1) << 32 | slot->next.load(std::memory_order_relaxed);
    if (free_slots.compare_exchange_weak(head, fresh, std::memory_order_acquire)) return slot;
  }
  // A new one. Past the end the count stays put, so that it never wraps.
  std::uint32_t count = slot_count.load(std::memory_order_relaxed);
  do {
    if (count >= max_chunks * slots_per_chunk) return nullptr;
  } while (!slot_count.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
  index = count;
  std::atomic<handle_slot*>& place = slot_chunks[index / slots_per_chunk];
  handle_slot* chunk = place.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    auto* made = new (std::nothrow) handle_slot[slots_per_chunk];
    if (made == nullptr) return nullptr;  // this index is lost, its neighbours are tried again
    if (place.compare_exchange_strong(chunk, made, std::memory_order_acq_rel)) {
      chunk = made;
    } else {
      delete[] made;
    }
  }
  return &chunk[index % slots_per_chunk];
}

handle_token handle_make(handle_kind kind, std::unique_ptr<handle_object> object) noexcept {
  std::uint32_t index = 0;
  handle_slot* slot = take_slot(index);
  if (slot == nullptr) return 0;
  const std::uint64_t generation = (slot->word.load(std::memory_order_relaxed) >> 32) + 1;
  slot->object = object.release();
  slot->word.store(generation << 32 | static_cast<std::uint64_t>(kind) << slot_kind_shift, std::memory_order_release);
  live_handles[static_cast<int>(kind)].fetch_add(1, std::memory_order_relaxed);
  return std::uint64_t{1} << 63 | generation << 32 | std::uint64_t{index} << 8 | static_cast<std::uint64_t>(kind);
}

static std::uint32_t token_slot(handle_token token) noexcept {
  return static_cast<std::uint32_t>(token >> 8) & 0xffffff;
}

// The upper part that a live slot's word must have for this token.
static std::uint64_t token_word(handle_token token) noexcept {
  return ((token >> 32) & slot_last_generation) << 6 | (token & 0xff);
}

static handle_slot* slot_of(handle_token token, handle_kind kind, errc& why) noexcept {
  why = errc::invalid;
  if (token >> 63 == 0 || (token & 0xff) != static_cast<std::uint64_t>(kind)) return nullptr;
  return slot_at(token_slot(token));
}

handle_pin handle_acquire(handle_token token, handle_kind kind, handle_use use) noexcept {
  handle_pin pin;
  handle_slot* slot = slot_of(token, kind, pin.why);
  if (slot == nullptr) return pin;
  const std::uint64_t want = token_word(token);
  const std::uint64_t add = use == handle_use::exclusive ? 1 | slot_exclusive : 1;
  std::uint64_t word = slot->word.load(std::memory_order_relaxed);
  for (;;) {
    if (word >> slot_kind_shift != want || (word & slot_closed) != 0) {
      // A generation that is still to come was never given out.
      pin.why = word >> 32 >= want >> 6 ? errc::closed : errc::invalid;
      return pin;
    }
    if ((word & slot_exclusive) != 0 || (use == handle_use::exclusive && (word & slot_pin_mask) != 0) ||
        (word & slot_pin_mask) == slot_pin_mask) {
      pin.why = errc::state;
      return pin;
    }
    if (slot->word.compare_exchange_weak(word, word + add, std::memory_order_acquire, std::memory_order_relaxed)) break;
  }
  pin.why = errc::ok;
  pin.object = slot->object;
  return pin;
}

// Only the one that brings a closed slot to no pins comes here.
static void end_slot(handle_slot& slot, std::uint32_t index) noexcept {
  std::unique_ptr<handle_object> object(slot.object);
  slot.object = nullptr;
  const std::uint64_t generation = slot.word.load(std::memory_order_relaxed) >> 32;
  slot.word.store(generation << 32 | slot_closed, std::memory_order_relaxed);
  if (generation < slot_last_generation) give_back_slot(slot, index);
}

void handle_release(handle_token token, handle_use use) noexcept {
  const std::uint32_t index = token_slot(token);
  handle_slot* slot = slot_at(index);
  const std::uint64_t taken = use == handle_use::exclusive ? 1 | slot_exclusive : 1;
  const std::uint64_t before = slot->word.fetch_sub(taken, std::memory_order_acq_rel);
  if ((before & slot_closed) != 0 && (before & slot_pin_mask) == 1) end_slot(*slot, index);
}

bool handle_free(handle_token token, handle_kind kind) noexcept {
  errc why;
  handle_slot* slot = slot_of(token, kind, why);
  if (slot == nullptr) return false;
  const std::uint64_t want = token_word(token);
  std::uint64_t word = slot->word.load(std::memory_order_relaxed);
  do {
    if (word >> slot_kind_shift != want || (word & slot_closed) != 0) return false;
  } while (!slot->word.compare_exchange_weak(word, word | slot_closed, std::memory_order_acq_rel,
                                             std::memory_order_relaxed));
  live_handles[static_cast<int>(kind)].fetch_sub(1, std::memory_order_relaxed);
  if ((word & slot_pin_mask) == 0) end_slot(*slot, token_slot(token));
  return true;
}

std::size_t handle_live(handle_kind kind) noexcept {
  return live_handles[static_cast<int>(kind)].load(std::memory_order_relaxed);
}

error handle_error(errc why, handle_kind kind) {
  const std::string noun = handle_kind_name(kind);
  switch (why) {
    case errc::closed:
      return make_error(why, "capi", "the " + noun + " was freed", {}, "do not use a handle after its _free");
    case errc::state:
      return make_error(why, "capi", "the " + noun + " is in use by another call", {},
                        "let one thread at a time use a " + noun);
    default:
      return make_error(errc::invalid, "capi", "not a handle of a " + noun, {},
                        "pass what the " + noun + "'s own functions gave out");
  }
}

}  // namespace berth::capi
