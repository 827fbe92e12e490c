// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the runsc layer.
#include <berth/runsc/src.hpp>
