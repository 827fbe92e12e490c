// SPDX-License-Identifier: Apache-2.0
// The compiled bodies of the docker layer.
#include <berth/docker/src.hpp>
