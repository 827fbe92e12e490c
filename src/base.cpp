// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the base layer.
#include <berth/base/src.hpp>
