// SPDX-License-Identifier: Apache-2.0
// A program that uses a part of berth header-only: that what it is pointed to is all that it needs. The whole of berth header-only
// is header_only's.
#include <berth/docker/recipe.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdio>

int main() {
  auto spec = berth::spec_builder::parse(
      R"({"ociVersion":"1.1.0","process":{"cwd":"/","args":["sh"]},"root":{"path":"rootfs"}})");
  if (!spec || !berth::apply_docker(*spec) || spec->to_json().find("CAP_SYS_ADMIN") == std::string::npos) {
    std::fprintf(stderr, "wrong: apply_docker\n");
    return 1;
  }
  std::printf("berth %s works here\n", BERTH_VERSION_STRING);
  return 0;
}
