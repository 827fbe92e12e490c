// SPDX-License-Identifier: Apache-2.0
// Handles: pointer-sized tokens that name a slot and its generation, so that a stale one is noticed instead of
// followed.
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace berth::capi {

enum class handle_kind : std::uint8_t {
  none,
  error,
  buffer,
  spec,
  runsc,
  argv,
  loop,
  executor,
  daemon,
  sandbox,
  count
};

/// The singular noun, as it stands in messages.
const char* handle_kind_name(handle_kind kind) noexcept;

/// What a handle stands for. Destroyed when the handle was freed and the last call that uses it has returned.
struct handle_object {
  virtual ~handle_object() = default;
};

/// How a call uses an object.
enum class handle_use {
  shared,     ///< any number of calls at once
  exclusive,  ///< one call at a time: a second one gets errc::state
};

/// A token: bit 63 set (no address of a program, so that no garbage collector takes it for one of its own), 31 bits of
/// generation, 24 bits of slot, 8 bits of kind. A slot whose generations are used up is not used again, so a token is
/// never given out twice.
using handle_token = std::uintptr_t;

/// Takes a slot for `object`. 0 when there is no memory or all 2^24 slots are in use. Lock-free.
handle_token handle_make(handle_kind kind, std::unique_ptr<handle_object> object) noexcept;

/// Keeps the object alive until handle_unpin. Lock-free. Errors: invalid (NULL, of another kind, never given out),
/// closed (freed), state (exclusive use by another call).
struct handle_pin {
  handle_object* object = nullptr;
  errc why = errc::ok;  ///< when object is null
};
handle_pin handle_acquire(handle_token token, handle_kind kind, handle_use use) noexcept;
void handle_release(handle_token token, handle_use use) noexcept;

/// Frees: no new call gets the object. True for the one caller that did it; false for NULL, stale or foreign tokens.
bool handle_free(handle_token token, handle_kind kind) noexcept;

/// How many of a kind are not freed.
std::size_t handle_live(handle_kind kind) noexcept;

/// The error of a failed handle_acquire.
error handle_error(errc why, handle_kind kind);

/// An object in use by this call. T names its kind as T::kind and its use as T::use.
template <class T>
class pinned {
 public:
  template <class Handle>
  explicit pinned(const Handle* handle) noexcept : token_(reinterpret_cast<handle_token>(handle)) {
    const handle_pin pin = handle_acquire(token_, T::kind, T::use);
    object_ = static_cast<T*>(pin.object);
    why_ = pin.why;
  }
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;
  ~pinned() {
    if (object_ != nullptr) handle_release(token_, T::use);
  }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  error why() const { return handle_error(why_, T::kind); }

 private:
  handle_token token_;
  T* object_ = nullptr;
  errc why_ = errc::ok;
};

/// Makes an object and its handle, and gives it to the caller.
template <class T, class Handle, class... Args>
result<void> hand_out(Handle** out, Args&&... args) {
  auto object = std::make_unique<T>(std::forward<Args>(args)...);
  const handle_token token = handle_make(T::kind, std::move(object));
  if (token == 0)
    return make_error(errc::no_memory, "capi", "no more handles can be made", {}, "free those not in use");
  *out = reinterpret_cast<Handle*>(token);
  return {};
}

}  // namespace berth::capi
