// SPDX-License-Identifier: Apache-2.0
// The one wrapper around every function body: no exception leaves, every failure becomes a status and an error object.
#pragma once

#include "handle.hpp"

#include <berth.h>

#include <string_view>

namespace berth::capi {

struct error_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::error;
  static constexpr handle_use use = handle_use::shared;
  explicit error_object(error e) : value(std::move(e)), text(value.to_string()) {}
  error value;
  std::string text;
};

struct buffer_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::buffer;
  static constexpr handle_use use = handle_use::shared;
  explicit buffer_object(std::string b) : bytes(std::move(b)) {}
  std::string bytes;
};

/// An error as a handle; NULL when there is no memory for one.
berth_error* make_error_handle(error e) noexcept;
/// Bytes as a handle. Throws std::bad_alloc.
berth_buffer* make_buffer_handle(std::string bytes);

/// The status of `e`; the error itself goes to `*err` where the caller wants it.
berth_status report(berth_error** err, error&& e) noexcept;
/// The same for the exception in flight.
berth_status report_exception(berth_error** err) noexcept;
/// The exception in flight as an error. Throws std::bad_alloc when it is one or there is no memory for the text.
error exception_to_error();

/// Runs `body`, a callable that gives result<void>.
template <class Body>
berth_status guard(berth_error** err, Body&& body) noexcept {
  if (err != nullptr) *err = nullptr;
  try {
    result<void> r = body();
    if (r) return BERTH_OK;
    return report(err, std::move(r).error());
  } catch (...) {
    return report_exception(err);
  }
}

/// Sets an output to nothing before anything can fail; invalid when there is no place for it.
template <class T>
result<void> clear_out(T* out, const char* name) {
  if (out == nullptr) {
    return make_error(errc::invalid, "capi", std::string(name) + " is NULL", name, "pass the address of a variable");
  }
  *out = T{};
  return {};
}

/// A string argument; invalid for NULL with a length.
inline result<std::string_view> text_argument(const char* data, std::size_t size, const char* name) {
  if (data == nullptr && size != 0) {
    return make_error(errc::invalid, "capi", std::string(name) + " is NULL with a length", name);
  }
  if (size > (std::size_t{1} << 30)) {
    return make_error(errc::too_big, "capi", std::string(name) + " is longer than 1 GiB", name,
                      "pass the length in bytes; a negative one comes here as a very large one");
  }
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}

/// A path argument: not empty, no NUL.
inline result<void> check_path(std::string_view path, const char* name) {
  if (path.empty()) return make_error(errc::invalid, "capi", std::string(name) + " is empty", name);
  if (path.find('\0') != path.npos) return make_error(errc::invalid, "capi", std::string(name) + " holds a NUL", name);
  return {};
}

}  // namespace berth::capi

/// For bodies of guard: the object behind a handle, or the function's failure.
#define BERTH_PIN(name, type, handle)       \
  ::berth::capi::pinned<type> name(handle); \
  if (!name) return name.why()

/// A string argument under the name `name`.
#define BERTH_TEXT(name, data, size)                                   \
  auto name##_text_ = ::berth::capi::text_argument(data, size, #name); \
  if (!name##_text_) return std::move(name##_text_).error();           \
  const std::string_view name = *name##_text_
