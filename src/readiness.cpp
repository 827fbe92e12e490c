// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the readiness layer.
#include <berth/readiness/src.hpp>
