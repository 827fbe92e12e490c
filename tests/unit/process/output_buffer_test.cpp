// SPDX-License-Identifier: Apache-2.0
#include <berth/process/output_buffer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace berth {
namespace {

TEST(OutputRing, KeepsTheLastBytesWhateverThePieces) {
  std::string all;
  for (int i = 0; i < 300; ++i) all += static_cast<char>('a' + i % 26);
  for (std::size_t limit : {0U, 1U, 7U, 64U, 299U, 300U, 301U}) {
    for (std::size_t piece : {1U, 3U, 7U, 8U, 100U, 300U}) {
      output_ring ring(limit);
      for (std::size_t at = 0; at < all.size(); at += piece) {
        ring.append(std::string_view(all).substr(at, piece));
        const std::size_t written = std::min(all.size(), at + piece);
        const std::size_t kept = std::min(written, limit);
        ASSERT_EQ(ring.text(), all.substr(written - kept, kept)) << limit << " " << piece << " " << at;
        ASSERT_EQ(ring.dropped(), written - kept);
      }
    }
  }
}

std::vector<std::string> split(std::string_view text, std::size_t piece) {
  std::vector<std::string> lines;
  line_splitter s;
  const auto take = [&](std::string_view l) { lines.emplace_back(l); };
  for (std::size_t at = 0; at < text.size(); at += piece) s.append(text.substr(at, piece), take);
  s.finish(take);
  return lines;
}

TEST(LineSplitter, CutsAtNewlinesWhateverThePieces) {
  for (std::size_t piece : {1U, 2U, 5U, 100U}) {
    EXPECT_EQ(split("one\n\ntwo\r\nrest", piece), (std::vector<std::string>{"one", "", "two\r", "rest"})) << piece;
    EXPECT_EQ(split("a\nb", piece), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(split("a\n", piece), (std::vector<std::string>{"a"}));
    EXPECT_EQ(split("\n\n", piece), (std::vector<std::string>{"", ""}));
    EXPECT_EQ(split("", piece), (std::vector<std::string>{}));
  }
}

TEST(LineSplitter, ALongLineComesInPiecesOf64KiB) {
  constexpr std::size_t k = line_splitter::max_piece;
  for (std::size_t length : {k - 1, k, k + 1, 2 * k, 2 * k + 5, 3 * k}) {
    for (std::size_t piece : {std::size_t{1000}, k - 1, k, 5 * k}) {
      const auto lines = split(std::string(length, 'x') + "\nnext\n", piece);
      std::size_t total = 0;
      for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        EXPECT_LE(lines[i].size(), k);
        EXPECT_FALSE(lines[i].empty());
        total += lines[i].size();
      }
      EXPECT_EQ(total, length);
      EXPECT_EQ(lines.size() - 1, (length + k - 1) / k) << length << " " << piece;
      EXPECT_EQ(lines.back(), "next");
    }
  }
}

}  // namespace
}  // namespace berth
