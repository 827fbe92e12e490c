// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the spec layer.
#include <berth/spec/src.hpp>
