// SPDX-License-Identifier: Apache-2.0
#include "detail/guard.hpp"

#include <new>

namespace berth::capi {

berth_buffer* make_buffer_handle(std::string bytes) {
  const handle_token token = handle_make(handle_kind::buffer, std::make_unique<buffer_object>(std::move(bytes)));
  if (token == 0) throw std::bad_alloc();
  return reinterpret_cast<berth_buffer*>(token);
}

}  // namespace berth::capi

const char* berth_buffer_data(const berth_buffer* buffer) {
  berth::capi::pinned<berth::capi::buffer_object> b(buffer);
  return b ? b->bytes.c_str() : "";
}

size_t berth_buffer_size(const berth_buffer* buffer) {
  berth::capi::pinned<berth::capi::buffer_object> b(buffer);
  return b ? b->bytes.size() : 0;
}

void berth_buffer_free(berth_buffer* buffer) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(buffer), berth::capi::handle_kind::buffer);
}
