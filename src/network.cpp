// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the network layer.
#include <berth/network/src.hpp>
