// The one place where rapidjson is set up and included: in a namespace of berth's own with hidden visibility, so that it
// meets no other copy in the process, with an allocator and assertions that throw in place of crashing.
#pragma once

#include <berth/config.hpp>

#include <cstddef>
#include <new>

#if defined(RAPIDJSON_RAPIDJSON_H_)
#error "rapidjson was included before berth and cannot be set up anew: include berth first, or build berth's bodies in a translation unit of their own (BERTH_SEPARATE_COMPILATION)"
#endif

namespace berth::detail {

/// A condition of rapidjson's that does not hold: a defect of berth's, since the scan has seen the text first.
struct rapidjson_assertion {
  const char* condition;
};

[[noreturn]] inline void rapidjson_failed(const char* condition) { throw rapidjson_assertion{condition}; }

}  // namespace berth::detail

#define RAPIDJSON_NAMESPACE berth::detail::rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace berth::detail { namespace rapidjson __attribute__((visibility("hidden"))) {
#define RAPIDJSON_NAMESPACE_END } }
#define RAPIDJSON_ASSERT(x) (__builtin_expect(!!(x), 1) ? (void)0 : ::berth::detail::rapidjson_failed(#x))
// Its assertions stand in functions that it marks noexcept, from where no exception would get out.
#define RAPIDJSON_HAS_CXX11_NOEXCEPT 0
// Iterators over members are plain pointers: the class that it has for them compares ambiguously in C++20.
#define RAPIDJSON_NOMEMBERITERATORCLASS

#if defined(__clang__)
// Its stack adds to a null pointer before the first allocation, to compare only: nothing that a sanitizer need report.
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/document.h>
#if defined(__clang__)
#pragma clang attribute pop
#endif

// Around code with types that hold rapidjson's: gcc remarks that they are visible where rapidjson is not, which is the point.
#define BERTH_HIDDEN_BEGIN _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wattributes\"")
#define BERTH_HIDDEN_END _Pragma("GCC diagnostic pop")
