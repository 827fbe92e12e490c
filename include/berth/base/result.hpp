// SPDX-License-Identifier: Apache-2.0
// A value or an error. Nothing in berth throws to say that an operation failed.
#pragma once

#include <berth/base/error.hpp>

#include <boost/system/result.hpp>

namespace berth {

/// `boost::system::result` with berth's error: test with `if (r)`, read with `*r`, `r->` and `r.error()`; `r.value()`
/// throws `berth::exception` when there is none. A function returns either the value or an `error`.
template <class T = void>
using result = boost::system::result<T, error>;

/// Found by argument-dependent look-up from `result<T>::value()`.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw exception(e);
}

}  // namespace berth

/// Returns the error of `expr` (a `result`) from the enclosing function, which returns a `result` too.
#define BERTH_TRY(expr)                                                              \
  do {                                                                               \
    if (auto berth_try_ = (expr); !berth_try_) return std::move(berth_try_).error(); \
  } while (false)

/// The same inside a coroutine. `expr` is evaluated once and may hold a co_await.
#define BERTH_CO_TRY(expr)                                    \
  do {                                                        \
    auto berth_try_ = (expr);                                 \
    if (!berth_try_) co_return std::move(berth_try_).error(); \
  } while (false)
