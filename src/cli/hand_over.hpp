// SPDX-License-Identifier: Apache-2.0
// `berth hand-over`: a sandbox for a program that makes it through us, as the Python package does.
//
// The words of the call come by standard input, since a command line is there for every user of the host to read: first their
// length in bytes and a line feed, then the words, each with a NUL behind it. When the id is printed, the program answers by
// one byte more: from then on the sandbox is its own. When standard input ends before that, whatever ended the program, the
// sandbox is taken down again.
#pragma once

#include <berth/base/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// The words of a text, each with a NUL behind it. Pure.
std::optional<std::vector<std::string>> split_words(std::string_view text);

/// Errors: usage errors.
result<std::vector<std::string>> read_handed_words();

}  // namespace berth::cli
