// SPDX-License-Identifier: Apache-2.0
// The one place where rapidjson is set up and included: in a namespace of berth's own with hidden visibility, so that
// it meets no other copy in the process, with an allocator and assertions that throw in place of crashing.
#pragma once

#include <berth/config.hpp>

#include <cstddef>
#include <new>

#if defined(RAPIDJSON_RAPIDJSON_H_)
// Or build berth's bodies in a translation unit of their own: BERTH_SEPARATE_COMPILATION.
#error "rapidjson was included before berth and cannot be set up anew: include berth first, or compile berth apart"
#endif

namespace berth::detail {

/// A condition of rapidjson's that does not hold: a defect of berth's, since the scan has seen the text first.
struct rapidjson_assertion {
  const char* condition;
};

[[noreturn]] inline void rapidjson_failed(const char* condition) { throw rapidjson_assertion{condition}; }

}  // namespace berth::detail

#define RAPIDJSON_NAMESPACE berth::detail::rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN \
  namespace berth::detail {       \
  namespace rapidjson __attribute__((visibility("hidden"))) {
#define RAPIDJSON_NAMESPACE_END \
  }                             \
  }
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

// So that a file that includes rapidjson for itself, after this one, gets its own, set up as it likes.
#undef RAPIDJSON_48BITPOINTER_OPTIMIZATION
#undef RAPIDJSON_64BIT
#undef RAPIDJSON_ALIGN
#undef RAPIDJSON_ALLOCATORS_H_
#undef RAPIDJSON_ASSERT
#undef RAPIDJSON_BIGENDIAN
#undef RAPIDJSON_BIGINTEGER_H_
#undef RAPIDJSON_DELETE
#undef RAPIDJSON_DIAG_OFF
#undef RAPIDJSON_DIAG_POP
#undef RAPIDJSON_DIAG_PRAGMA
#undef RAPIDJSON_DIAG_PUSH
#undef RAPIDJSON_DISABLEIF
#undef RAPIDJSON_DISABLEIF_RETURN
#undef RAPIDJSON_DIYFP_H_
#undef RAPIDJSON_DOCUMENT_H_
#undef RAPIDJSON_DO_JOIN
#undef RAPIDJSON_DO_JOIN2
#undef RAPIDJSON_DO_STRINGIFY
#undef RAPIDJSON_ENABLEIF
#undef RAPIDJSON_ENABLEIF_RETURN
#undef RAPIDJSON_ENCODEDSTREAM_H_
#undef RAPIDJSON_ENCODINGS_H_
#undef RAPIDJSON_ENDIAN
#undef RAPIDJSON_ERROR_CHARTYPE
#undef RAPIDJSON_ERROR_ERROR_H_
#undef RAPIDJSON_ERROR_STRING
#undef RAPIDJSON_FORCEINLINE
#undef RAPIDJSON_GETPOINTER
#undef RAPIDJSON_GNUC
#undef RAPIDJSON_HAS_CXX11_NOEXCEPT
#undef RAPIDJSON_HAS_CXX11_RANGE_FOR
#undef RAPIDJSON_HAS_CXX11_RVALUE_REFS
#undef RAPIDJSON_HAS_CXX11_TYPETRAITS
#undef RAPIDJSON_HAS_STDSTRING
#undef RAPIDJSON_IEEE754_
#undef RAPIDJSON_INTERNAL_META_H_
#undef RAPIDJSON_INTERNAL_STACK_H_
#undef RAPIDJSON_INTERNAL_STRFUNC_H_
#undef RAPIDJSON_INTERNAL_SWAP_H_
#undef RAPIDJSON_JOIN
#undef RAPIDJSON_LIKELY
#undef RAPIDJSON_LITTLEENDIAN
#undef RAPIDJSON_MAJOR_VERSION
#undef RAPIDJSON_MEMORYSTREAM_H_
#undef RAPIDJSON_MINOR_VERSION
#undef RAPIDJSON_MULTILINEMACRO_BEGIN
#undef RAPIDJSON_MULTILINEMACRO_END
#undef RAPIDJSON_NAMESPACE
#undef RAPIDJSON_NAMESPACE_BEGIN
#undef RAPIDJSON_NAMESPACE_END
#undef RAPIDJSON_NEW
#undef RAPIDJSON_NOEXCEPT
#undef RAPIDJSON_NOMEMBERITERATORCLASS
#undef RAPIDJSON_NOTHING
#undef RAPIDJSON_PARSE_DEFAULT_FLAGS
#undef RAPIDJSON_PARSE_ERROR
#undef RAPIDJSON_PARSE_ERROR_EARLY_RETURN
#undef RAPIDJSON_PARSE_ERROR_EARLY_RETURN_VOID
#undef RAPIDJSON_PARSE_ERROR_NORETURN
#undef RAPIDJSON_PATCH_VERSION
#undef RAPIDJSON_POW10_
#undef RAPIDJSON_PRAGMA
#undef RAPIDJSON_RAPIDJSON_H_
#undef RAPIDJSON_READER_H_
#undef RAPIDJSON_REMOVEFPTR_
#undef RAPIDJSON_SETPOINTER
#undef RAPIDJSON_STATIC_ASSERT
#undef RAPIDJSON_STATIC_ASSERT_UNUSED_ATTRIBUTE
#undef RAPIDJSON_STREAM_H_
#undef RAPIDJSON_STRINGIFY
#undef RAPIDJSON_STRTOD_
#undef RAPIDJSON_UINT64_C2
#undef RAPIDJSON_UNLIKELY
#undef RAPIDJSON_VERSION_CODE
#undef RAPIDJSON_VERSION_STRING

// Around code with types that hold rapidjson's: gcc remarks that they are visible where rapidjson is not, which is the
// point.
#define BERTH_HIDDEN_BEGIN _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wattributes\"")
#define BERTH_HIDDEN_END _Pragma("GCC diagnostic pop")
