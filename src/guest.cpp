// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the guest layer.
#include <berth/guest/src.hpp>
