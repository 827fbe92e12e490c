// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the process layer.
#include <berth/process/src.hpp>
