// SPDX-License-Identifier: Apache-2.0
// Build configuration: the platform, the linkage switch, the version. (rapidjson is set up in
// spec/detail/rapidjson.hpp.)
#pragma once

#if !defined(__linux__)
#error "berth needs Linux: gVisor, pidfds and network namespaces exist nowhere else"
#endif

// Header-only by default. With BERTH_SEPARATE_COMPILATION the bodies (include/berth/impl) are compiled in exactly one
// place: src/*.cpp for the berth::static and berth::shared targets, or the one file of yours that includes
// berth/src.hpp.
#if defined(BERTH_SEPARATE_COMPILATION)
#define BERTH_DECL
#else
#define BERTH_DECL inline
#endif

#define BERTH_VERSION_MAJOR 0
#define BERTH_VERSION_MINOR 1
#define BERTH_VERSION_PATCH 0
#define BERTH_VERSION_STRING "0.1.0"
