// SPDX-License-Identifier: Apache-2.0
#include <berth/readiness/http_response.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

using progress = http_response_reader::progress;

// By the byte, so that every place where an answer can be cut is met.
progress read_bytes(http_response_reader& r, std::string_view text) {
  auto p = progress::more;
  for (std::size_t i = 0; i < text.size() && p == progress::more; ++i) p = r.append(text.substr(i, 1));
  return p;
}

TEST(HttpResponse, ABodyByLength) {
  http_response_reader r(true);
  EXPECT_EQ(read_bytes(r, "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\ncontent-LENGTH: 2 \r\n\r\nOK"), progress::complete);
  EXPECT_EQ(r.status(), 200);
  EXPECT_EQ(r.body(), "OK");
}

TEST(HttpResponse, ChunkedWithExtensionsAndTrailers) {
  http_response_reader r(true);
  EXPECT_EQ(
      read_bytes(
          r,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"),
      progress::complete);
  EXPECT_EQ(r.body(), "abc0123456789");
}

TEST(HttpResponse, UntilTheEnd) {
  http_response_reader r(true);
  EXPECT_EQ(read_bytes(r, "HTTP/1.0 500 Oh\r\n\r\nbad"), progress::more);
  EXPECT_EQ(r.finish(), progress::complete);
  EXPECT_EQ(r.status(), 500);
  EXPECT_EQ(r.body(), "bad");
}

TEST(HttpResponse, WithoutTheBodyTheHeadIsEnough) {
  http_response_reader r(false);
  EXPECT_EQ(r.append("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), progress::complete);
  EXPECT_EQ(r.status(), 200);
}

TEST(HttpResponse, AnInterimAnswerIsPassedOver) {
  http_response_reader r(true);
  EXPECT_EQ(read_bytes(r, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            progress::complete);
  EXPECT_EQ(r.status(), 200);
  EXPECT_EQ(r.body(), "x");
}

TEST(HttpResponse, NoContentHasNoBody) {
  http_response_reader r(true);
  EXPECT_EQ(read_bytes(r, "HTTP/1.1 204 No Content\r\n\r\n"), progress::complete);
}

TEST(HttpResponse, WhatIsCutOffIsNotComplete) {
  http_response_reader r(true);
  EXPECT_EQ(read_bytes(r, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), progress::more);
  EXPECT_EQ(r.finish(), progress::malformed);
  http_response_reader head(true);
  EXPECT_EQ(read_bytes(head, "HTTP/1.1 200 OK\r\nContent-"), progress::more);
  EXPECT_EQ(head.finish(), progress::malformed);
  http_response_reader chunk(true);
  EXPECT_EQ(read_bytes(chunk, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), progress::more);
  EXPECT_EQ(chunk.finish(), progress::malformed);
}

TEST(HttpResponse, RefusesWhatIsNotHttp) {
  for (const char* text : {
           "SSH-2.0-OpenSSH_9.2\r\n",
           "HTTP/2 200 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
       }) {
    http_response_reader r(true);
    EXPECT_EQ(read_bytes(r, text), progress::malformed) << text;
  }
}

TEST(HttpResponse, NeverHoldsMoreThanItsLimit) {
  http_response_reader head(true);
  EXPECT_EQ(head.append("HTTP/1.1 200 OK\r\nX: "), progress::more);
  EXPECT_EQ(head.append(std::string(http_response_reader::max_bytes, 'x')), progress::too_big);
  http_response_reader length(true);
  EXPECT_EQ(length.append("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n"), progress::too_big);
  http_response_reader chunk(true);
  EXPECT_EQ(chunk.append("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n"), progress::too_big);
  http_response_reader endless(true);
  auto p = endless.append("HTTP/1.1 200 OK\r\n\r\n");
  for (int i = 0; i < 1000 && p == progress::more; ++i) p = endless.append(std::string(1000, 'x'));
  EXPECT_EQ(p, progress::too_big);
  EXPECT_LE(endless.body().size(), http_response_reader::max_bytes);
}

}  // namespace
}  // namespace berth
