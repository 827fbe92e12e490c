// SPDX-License-Identifier: Apache-2.0
// How names of images are read, and what skopeo is asked for by them: as Python does (bindings/python/tests/unit/test_image.py).
#include <doctor/image_reference.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace berth::cli {
namespace {

const std::string zeros(64, '0');

std::string whole(const std::string& text) {
  const auto image = parse_image_reference(text);
  return image ? image->to_string() : image.error().message;
}

skopeo_source source(const std::string& text, std::string_view mirror) {
  return find_source(parse_image_reference(text).value(), mirror).value();
}

TEST(ImageReference, IsReadAsDockersUsersWriteIt) {
  for (const auto& [text, meant] : std::vector<std::pair<std::string, std::string>>{
           {"ubuntu", "docker.io/library/ubuntu:latest"},
           {"ubuntu:22.04", "docker.io/library/ubuntu:22.04"},
           {"docker:27-dind", "docker.io/library/docker:27-dind"},
           {"docker://ubuntu", "docker.io/library/ubuntu:latest"},
           {"me/app", "docker.io/me/app:latest"},
           {"a__b/c-.d", "'a__b/c-.d' is not the name of an image"},
           {"a__b/c---d.e_f", "docker.io/a__b/c---d.e_f:latest"},
           {"docker.io/library/nginx:1", "docker.io/library/nginx:1"},
           {"index.docker.io/nginx", "docker.io/library/nginx:latest"},
           {"localhost/app:1", "localhost/app:1"},
           {"localhost:5000/app", "localhost:5000/app:latest"},
           {"127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"},
           {"[::1]:5000/app:1", "[::1]:5000/app:1"},
           {"gcr.io/a/b/c:v1.2_3-x", "gcr.io/a/b/c:v1.2_3-x"},
           {"host:5000/a", "host:5000/a:latest"},
           {"a@sha256:" + zeros, "docker.io/library/a@sha256:" + zeros},
           {"host:5000/a:1@sha256:" + zeros, "host:5000/a@sha256:" + zeros},
           {"oci:/srv/layout:1", "oci:/srv/layout:1"},
           {"oci:latest", "oci:latest"},  // a directory, not docker.io/library/oci
           {"library/oci:latest", "docker.io/library/oci:latest"},
           {"docker-archive:x y.tar", "docker-archive:x y.tar"},
           {"dir:/srv/UPPER", "dir:/srv/UPPER"}})
    EXPECT_EQ(whole(text), meant) << text;
}

TEST(ImageReference, WhatIsNone) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          "UPPER",
                                                          "a b",
                                                          "-a",
                                                          "a/",
                                                          "/a",
                                                          "a::b",
                                                          "a:",
                                                          "a@sha256:12",
                                                          "a@sha512:" + zeros,
                                                          "a..b",
                                                          "../a",
                                                          "a\n",
                                                          "a:b:c",
                                                          "docker:/a",
                                                          "http://host/a",
                                                          "me:secret@host/a",
                                                          "host:/a",
                                                          ":5000/a",
                                                          "oci:",
                                                          "dir:",
                                                          "docker://",
                                                          "a:" + std::string(129, 't'),
                                                          "tarball:/x"})
    EXPECT_EQ(parse_image_reference(text).has_value(), false) << text;
}

TEST(ImageReference, AMirrorStandsForDockerIoOnly) {
  const skopeo_source plain = source("ubuntu:1", "http://127.0.0.1:5000/");
  EXPECT_EQ(plain.name, "docker://127.0.0.1:5000/library/ubuntu:1");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(source("a", "mirror.example").name, "docker://mirror.example/library/a:latest");
  EXPECT_EQ(source("a", "https://mirror.example").name, "docker://mirror.example/library/a:latest");
  const skopeo_source other = source("gcr.io/a/b", "http://127.0.0.1:5000");
  EXPECT_EQ(other.name, "docker://gcr.io/a/b:latest");
  EXPECT_TRUE(other.tls);
  EXPECT_EQ(source("oci:/x:1", "http://127.0.0.1:5000").name, "oci:/x:1");
  EXPECT_EQ(source("a", "").name, "docker://docker.io/library/a:latest");
}

TEST(ImageReference, CredentialsStandInNoName) {
  const auto refused = find_source(parse_image_reference("ubuntu").value(), "https://me:secret@host:5000");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("list of processes"), std::string::npos);
  EXPECT_EQ(refused.error().to_string().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace berth::cli
