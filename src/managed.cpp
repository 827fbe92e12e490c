// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the managed layer.
#include <berth/managed/src.hpp>
