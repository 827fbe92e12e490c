// SPDX-License-Identifier: Apache-2.0
// bench_spec WHAT FILE ITERATIONS: nanoseconds for one spec operation (parse, Docker recipe, serialise), the least of 5
// rounds. WHAT is `berth` or `rapidjson` (the same without any check); `berth-parse` the first step alone; `berth-explain` what
// `berth spec docker --explain` does. benchmarks/spec/run sets them beside Go.
#include <berth/docker/recipe.hpp>
#include <berth/spec/diff.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

std::size_t unguarded_operation(const std::string& json);  // unguarded.cpp

namespace {

std::size_t berth_operation(const std::string& json) {
  berth::result<berth::spec_builder> spec = berth::spec_builder::parse(json);
  if (!spec || !berth::apply_docker(*spec)) std::abort();
  return spec->to_json().size();
}

std::size_t berth_parse_only(const std::string& json) {
  berth::result<berth::spec_builder> spec = berth::spec_builder::parse(json);
  if (!spec) std::abort();
  return 1;
}

std::size_t berth_explain(const std::string& json) {
  berth::result<berth::spec_builder> spec = berth::spec_builder::parse(json);
  if (!spec) std::abort();
  const berth::result<berth::spec_builder> before = spec->clone();
  if (!before || !berth::apply_docker(*spec)) std::abort();
  return berth::format_diff(berth::diff_specs(*before, *spec)).size();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_spec berth|berth-parse|berth-explain|rapidjson FILE ITERATIONS\n");
    return 2;
  }
  const std::string what = argv[1];
  std::ifstream in(argv[2], std::ios::binary);
  const std::string json((std::istreambuf_iterator<char>(in)), {});
  const int iterations = std::atoi(argv[3]);
  if (json.empty() || iterations <= 0) return 2;
  const auto operation = what == "berth"           ? berth_operation
                         : what == "berth-parse"   ? berth_parse_only
                         : what == "berth-explain" ? berth_explain
                         : what == "rapidjson"     ? unguarded_operation
                                                   : nullptr;
  if (operation == nullptr) return 2;
  std::size_t bytes = 0;
  long long best = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < iterations; ++i) bytes += operation(json);
    const auto took = std::chrono::steady_clock::now() - start;
    const long long each = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / iterations;
    best = round == 0 ? each : std::min(best, each);
  }
  if (bytes == 0) return 1;
  std::cout << best << '\n';
}
