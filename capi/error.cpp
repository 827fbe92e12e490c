// SPDX-License-Identifier: Apache-2.0
#include "detail/guard.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <new>

namespace berth::capi {

berth_error* make_error_handle(error e) noexcept {
  try {
    return reinterpret_cast<berth_error*>(
        handle_make(handle_kind::error, std::make_unique<error_object>(std::move(e))));
  } catch (...) {
    return nullptr;
  }
}

berth_status report(berth_error** err, error&& e) noexcept {
  const auto status = static_cast<berth_status>(e.code == errc::ok ? errc::internal : e.code);
  if (err != nullptr) *err = make_error_handle(std::move(e));
  return status;
}

error exception_to_error() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const exception& e) {
    return e.get();
  } catch (const boost::system::system_error& e) {
    if (e.code().category() == boost::system::system_category() && e.code().value() == ECANCELED) {
      return make_error(errc::cancelled, "capi", "the operation was cancelled");
    }
    return make_error(errc::internal, "capi", e.what(), {}, "this is a defect of berth: please report it");
  } catch (const std::exception& e) {
    return make_error(errc::internal, "capi", e.what(), {}, "this is a defect of berth: please report it");
  } catch (...) {
    return make_error(errc::internal, "capi", "an unknown exception", {},
                      "this is a defect of berth: please report it");
  }
}

berth_status report_exception(berth_error** err) noexcept {
  try {
    return report(err, exception_to_error());
  } catch (...) {
    return BERTH_E_NO_MEMORY;  // not even the text of an error can be made
  }
}

// Reads one thing of an error, or the given value where there is no error.
template <class T, class Get>
static T of_error(const berth_error* handle, T otherwise, Get get) noexcept {
  pinned<error_object> e(handle);
  return e ? get(*e) : otherwise;
}

}  // namespace berth::capi

using berth::capi::error_object;
using berth::capi::of_error;

const char* berth_status_name(berth_status code) {
  const auto name = berth::errc_name(static_cast<berth::errc>(code));
  return name.data();  // NUL-terminated: all of them are literals
}

berth_status berth_error_code(const berth_error* error) {
  return of_error(error, BERTH_OK + 0, [](const error_object& e) { return static_cast<berth_status>(e.value.code); });
}
int32_t berth_error_errno(const berth_error* error) {
  return of_error(error, 0, [](const error_object& e) { return e.value.sys_errno; });
}
const char* berth_error_message(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.value.message.c_str(); });
}
const char* berth_error_layer(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.value.layer.c_str(); });
}
const char* berth_error_path(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.value.path.c_str(); });
}
const char* berth_error_hint(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.value.hint.c_str(); });
}
const char* berth_error_detail(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.value.detail.c_str(); });
}
const char* berth_error_to_string(const berth_error* error) {
  return of_error(error, "", [](const error_object& e) { return e.text.c_str(); });
}

void berth_error_free(berth_error* error) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(error), berth::capi::handle_kind::error);
}
