// A program that uses berth: something from each layer that needs neither root nor runsc.
#include <berth/berth.hpp>

#include <cstdio>

const char* from_the_second_file();

int main() {
  const berth::error failure = berth::make_error(berth::errc::not_found, "consumer", "no such thing", "/nowhere");
  if (failure.to_string().find("no such thing") == std::string::npos) return 1;
  if (from_the_second_file() != berth::errc_name(berth::errc::spec_type)) return 2;
  std::printf("berth %s: %s\n", BERTH_VERSION_STRING, failure.to_string().c_str());
  return 0;
}
