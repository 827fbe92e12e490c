// SPDX-License-Identifier: Apache-2.0
// The one file that compiles berth's bodies, in a program that does not want them in every file.
#include <berth/src.hpp>
