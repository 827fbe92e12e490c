// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the sandbox layer.
#include <berth/sandbox/src.hpp>
