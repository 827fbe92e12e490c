// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/token.hpp>

#include <sys/random.h>
#include <sys/types.h>

namespace berth {

BERTH_DECL std::string random_token(std::size_t size) {
  std::string token(size, 'a');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::getrandom(token.data() + got, size - got, 0);
    if (n > 0) got += static_cast<std::size_t>(n);
  }
  for (char& c : token) c = token_letters[static_cast<unsigned char>(c) & 31];
  return token;
}

BERTH_DECL std::string token_of(std::uint64_t number, std::size_t size) {
  std::string token;
  for (; size > 0; --size, number >>= 5) token += token_letters[number & 31];
  return token;
}

}  // namespace berth
