// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the snapshot layer.
#include <berth/snapshot/src.hpp>
