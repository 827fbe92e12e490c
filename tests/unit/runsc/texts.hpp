// SPDX-License-Identifier: Apache-2.0
// What three releases of runsc print about themselves, kept as they printed it.
#pragma once

#include <berth/runsc/binary.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace berth::test {

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `release`: "20260701", "20240729" (Debian's) or "20221219" (Debian's).
inline runsc_texts texts_of(const std::string& release) {
  const std::string dir = std::string(BERTH_TEST_DATA) + "/golden/runsc/binaries/" + release + "/";
  runsc_texts texts{read_file(dir + "version.txt"), read_file(dir + "flags.txt"), read_file(dir + "help.txt"), {}};
  for (std::string_view verb : runsc_probed_verbs())
    if (std::ifstream(dir + "help-" + std::string(verb) + ".txt"))
      texts.help[std::string(verb)] = read_file(dir + "help-" + std::string(verb) + ".txt");
  return texts;
}

inline runsc_binary binary_of(const std::string& release) {
  return runsc_binary::from_text("/usr/local/bin/runsc", texts_of(release)).value();
}

}  // namespace berth::test
