// SPDX-License-Identifier: Apache-2.0
// A second file that uses berth, so that what is defined twice is found out.
#include <berth/berth.hpp>

std::string from_the_second_file() { return std::string(berth::errc_name(berth::errc::spec_type)); }
