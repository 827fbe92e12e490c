// SPDX-License-Identifier: Apache-2.0
// Text from a sandbox, made fit for a terminal or a log.
#pragma once

#include <berth/config.hpp>

#include <string>
#include <string_view>

namespace berth {

/// The bytes of the character at the beginning of `text`, 1 to 4, when a terminal shows it as it stands; 0 for what
/// could drive the terminal: control characters (those of C1 too, U+009B is `ESC [` in one), characters that turn the
/// direction of writing, and bytes that are not UTF-8 (0x9b alone is a C1 character to terminals without UTF-8). `text`
/// is not empty.
BERTH_DECL std::size_t shown_length(std::string_view text) noexcept;

/// Appends `text`, what could drive a terminal as \xNN, byte by byte. Bytes in `kept` are appended as they are.
BERTH_DECL void append_shown(std::string& out, std::string_view text, std::string_view kept = {});

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/visible_text.ipp>
#endif
