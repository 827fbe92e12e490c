// SPDX-License-Identifier: Apache-2.0
// Memory of one document: taken in chunks, given back all at once.
#pragma once

#include <berth/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace berth::detail {

/// A rapidjson allocator that never frees a block by itself, which is what makes undoing a mutation a matter of putting
/// sixteen bytes back, and that throws std::bad_alloc where rapidjson's own would go on with a null pointer.
class arena {
 public:
  static constexpr bool kNeedFree = false;

  arena() noexcept = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;
  ~arena() {
    while (chunks_ != nullptr) ::operator delete(std::exchange(chunks_, chunks_->next));
  }

  void* Malloc(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (size > static_cast<std::size_t>(end_ - at_)) grow(size);
    return std::exchange(at_, at_ + size);
  }

  void* Realloc(void* old, std::size_t old_size, std::size_t size) {
    if (size <= old_size) return old;
    old_size = (old_size + 7) & ~std::size_t{7};
    if (old != nullptr && static_cast<char*>(old) + old_size == at_) {
      const std::size_t more = ((size + 7) & ~std::size_t{7}) - old_size;
      if (more <= static_cast<std::size_t>(end_ - at_)) {
        at_ += more;
        return old;
      }
    }
    void* const block = Malloc(size);
    if (old != nullptr) std::memcpy(block, old, old_size);
    return block;
  }

  static void Free(void*) noexcept {}

  /// Takes the first chunk with `size` bytes of room.
  void reserve(std::size_t size) {
    if (chunks_ == nullptr) grow(size);
  }

 private:
  struct chunk {
    chunk* next;
    std::size_t size;
  };

  void grow(std::size_t size) {
    if (size > SIZE_MAX / 4) throw std::bad_alloc();
    std::size_t room = chunks_ == nullptr ? 4096 : chunks_->size * 2;
    if (room > max_chunk) room = max_chunk;
    if (room < size) room = size;
    chunk* const fresh = static_cast<chunk*>(::operator new(sizeof(chunk) + room + slack));
    *fresh = {chunks_, room};
    chunks_ = fresh;
    at_ = reinterpret_cast<char*>(fresh + 1);
    end_ = at_ + room;
  }

  static constexpr std::size_t max_chunk = 1u << 20;
  static constexpr std::size_t slack = 32;  ///< behind each chunk: the writer reads strings 16 bytes at a time
  chunk* chunks_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

/// The allocator of rapidjson's parse stack.
struct throwing_allocator {
  static constexpr bool kNeedFree = true;
  void* Malloc(std::size_t size) { return size == 0 ? nullptr : ::operator new(size); }
  void* Realloc(void* old, std::size_t old_size, std::size_t size) {
    if (size == 0) {
      ::operator delete(old);
      return nullptr;
    }
    void* const block = ::operator new(size);
    if (old != nullptr) std::memcpy(block, old, old_size < size ? old_size : size);
    ::operator delete(old);
    return block;
  }
  static void Free(void* block) noexcept { ::operator delete(block); }
};

}  // namespace berth::detail
