// SPDX-License-Identifier: Apache-2.0
// Versions, status codes and their names.
#include "support.hpp"

#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>

extern "C" size_t berth_test_c_sizes(size_t which);

namespace capi_test {

static std::map<std::string, int> header_codes() {
  std::ifstream in(BERTH_TEST_DATA "/../capi/include/berth_base.h");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::map<std::string, int> codes;
  const std::regex line(R"(\n  BERTH_(OK|E_[A-Z_]+) = (-?\d+),? +/\*)");
  for (auto m = std::sregex_iterator(text.begin(), text.end(), line); m != std::sregex_iterator(); ++m) {
    codes[(*m)[1]] = std::stoi((*m)[2]);
  }
  return codes;
}

// The numbers of berth.h and of berth/base/error.hpp are the same, and so are the names: berth_status_name goes by the
// latter. No code of either is missing in the other.
TEST(status, header_and_library_agree) {
  auto codes = header_codes();
  ASSERT_GT(codes.size(), 40u);
  std::size_t named = 0;
  for (int code = 0; code >= -1000; --code) {
    if (std::string_view(berth_status_name(code)) != "unknown") ++named;
  }
  EXPECT_EQ(named, codes.size());
  for (const auto& [name, code] : codes) {
    std::string lower;
    for (const char c : name.substr(name == "OK" ? 0 : 2)) lower += static_cast<char>(std::tolower(c));
    EXPECT_EQ(lower, berth_status_name(code)) << code;
  }
}

TEST(status, unknown_codes_have_a_name) {
  EXPECT_STREQ(berth_status_name(-12345), "unknown");
  EXPECT_STREQ(berth_status_name(7), "unknown");
}

TEST(version, check) {
  Error error;
  EXPECT_EQ(berth_abi_check(BERTH_ABI_VERSION, error.slot()), BERTH_OK);
  EXPECT_EQ(error.get(), nullptr);
  EXPECT_EQ(berth_abi_check(BERTH_ABI_VERSION + 1, error.slot()), BERTH_E_UNSUPPORTED);
  EXPECT_EQ(error.code(), BERTH_E_UNSUPPORTED);
  EXPECT_NE(error.message().find("ABI " + std::to_string(BERTH_ABI_VERSION + 1)), std::string::npos) << error.message();
  EXPECT_FALSE(error.hint().empty());
  EXPECT_EQ(berth_abi_check(UINT32_MAX, nullptr), BERTH_E_UNSUPPORTED);
  const std::uint32_t v = berth_version();
  EXPECT_EQ(std::to_string(v >> 24) + "." + std::to_string(v >> 16 & 255) + "." + std::to_string(v & 65535),
            berth_version_string());
}

TEST(version, features) {
  for (const char* name : {"spec", "runsc", "loop", "executor", "daemon", "sandbox"}) EXPECT_EQ(berth_feature(name), 1);
  EXPECT_EQ(berth_feature("teleport"), 0);
  EXPECT_EQ(berth_feature(nullptr), 0);
}

TEST(layout, c_and_cpp_agree) {
  EXPECT_EQ(berth_test_c_sizes(0), sizeof(berth_event));
  EXPECT_EQ(berth_test_c_sizes(1), sizeof(berth_loop_options));
  EXPECT_EQ(berth_test_c_sizes(2), sizeof(berth_op_options));
}

}  // namespace capi_test
