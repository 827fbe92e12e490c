// SPDX-License-Identifier: Apache-2.0
// Going on past failures.
#pragma once

#include <berth/base/result.hpp>

#include <utility>

namespace berth {

/// Remembers the first of several outcomes that failed.
class first_failure {
 public:
  void keep(result<void> outcome) {
    if (!outcome && outcome_) outcome_ = std::move(outcome);
  }
  explicit operator bool() const noexcept { return !outcome_; }  ///< something failed
  result<void> take() { return std::move(outcome_); }

 private:
  result<void> outcome_;
};

}  // namespace berth
