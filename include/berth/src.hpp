// SPDX-License-Identifier: Apache-2.0
// Every body of the library. With BERTH_SEPARATE_COMPILATION defined everywhere, include this in exactly one file.
#pragma once

#include <berth/base/src.hpp>
#include <berth/spec/src.hpp>
#include <berth/runsc/src.hpp>
#include <berth/process/src.hpp>
#include <berth/readiness/src.hpp>
#include <berth/network/src.hpp>
#include <berth/guest/src.hpp>
#include <berth/sandbox/src.hpp>
#include <berth/docker/src.hpp>
#include <berth/managed/src.hpp>
#include <berth/snapshot/src.hpp>
