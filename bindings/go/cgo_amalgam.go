// SPDX-License-Identifier: Apache-2.0

//go:build cgo && !berth_shared && !berth_static

package berth

// The library is compiled into this package, from berth_amalgam.cpp. It needs g++ 12 or newer, and the headers of Boost
// (1.81 or newer) and rapidjson. -g0, since the debug information of Boost.Asio would be most of the binary.

/*
#cgo CXXFLAGS: -std=c++20 -O2 -DNDEBUG -g0 -fvisibility=hidden -fvisibility-inlines-hidden -pthread
#cgo LDFLAGS: -lstdc++ -lm -pthread
*/
import "C"
