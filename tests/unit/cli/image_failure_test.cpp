// SPDX-License-Identifier: Apache-2.0
// What is made of the words of skopeo and umoci.
#include <doctor/image_failure.hpp>

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(ImageFailure, IsToldByItsInnermostCause) {
  const error e = explain_failure(
      "skopeo", "exit code 1",
      "time=\"2026-01-01T00:00:00Z\" level=fatal msg=\"pinging \\\"h\\\": Get: dial tcp 10.0.0.1:443: connect: connection "
      "refused\"\n",
      "docker.io/library/a:1");
  EXPECT_EQ(e.message, "the registry cannot be reached from here: dial tcp 10.0.0.1:443: connect: connection refused");
  EXPECT_EQ(e.path, "docker.io/library/a:1");
  EXPECT_EQ(e.detail,
            "skopeo ended with exit code 1: pinging \"h\": Get: dial tcp 10.0.0.1:443: connect: connection refused");
  EXPECT_NE(e.hint.find("BERTH_REGISTRY_MIRROR"), std::string::npos);
}

TEST(ImageFailure, KnowsWhatRegistriesSay) {
  const auto code = [](const char* words) { return explain_failure("skopeo", "exit code 1", words, "a").code; };
  EXPECT_EQ(code("reading manifest 9 in h/a: manifest unknown"), errc::not_found);
  EXPECT_EQ(code("reading manifest 9 in h/a: name unknown: repository name not known to registry"), errc::not_found);
  EXPECT_EQ(code("reading manifest: unauthorized: authentication required"), errc::permission);
  EXPECT_EQ(code("no descriptor found for reference \"x\""), errc::not_found);
  EXPECT_EQ(code("pinging h: http: server gave HTTP response to HTTPS client"), errc::process_exited);
  EXPECT_EQ(code("write /var/tmp/x: no space left on device"), errc::io);
}

TEST(ImageFailure, OneThatNobodyKnowsHasTheToolsWords) {
  const error e = explain_failure("umoci", "exit code 1", "something else\n", "oci:/x");
  EXPECT_EQ(e.message, "cannot unpack the image");
  EXPECT_EQ(e.detail, "umoci ended with exit code 1: something else");
  EXPECT_EQ(e.hint, "");
  EXPECT_EQ(explain_failure("skopeo", "signal 9", "", "a").detail, "skopeo ended with signal 9");
}

TEST(ImageFailure, AFieldIsReadWithoutItsQuotes) {
  EXPECT_EQ(plain_words("x level=fatal msg=\"a \\\"b\\\" \\\\ c\\nd \\x41\" y=1\n"), "a \"b\" \\ c\nd \\x41");
  EXPECT_EQ(plain_words("level=fatal msg=\"unfinished\n\n"), "level=fatal msg=\"unfinished");
  EXPECT_EQ(plain_words("as it is\n"), "as it is");
}

}  // namespace
}  // namespace berth::cli
