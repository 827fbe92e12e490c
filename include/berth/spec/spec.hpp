// SPDX-License-Identifier: Apache-2.0
// The whole spec layer.
#pragma once

#include <berth/spec/annotations.hpp>
#include <berth/spec/byte_size.hpp>
#include <berth/spec/capabilities.hpp>
#include <berth/spec/diff.hpp>
#include <berth/spec/env.hpp>
#include <berth/spec/hostname.hpp>
#include <berth/spec/id.hpp>
#include <berth/spec/masked_paths.hpp>
#include <berth/spec/merge.hpp>
#include <berth/spec/minimal_spec.hpp>
#include <berth/spec/mounts.hpp>
#include <berth/spec/namespaces.hpp>
#include <berth/spec/process.hpp>
#include <berth/spec/resources.hpp>
#include <berth/spec/rlimits.hpp>
#include <berth/spec/root.hpp>
#include <berth/spec/seccomp.hpp>
#include <berth/spec/spec_builder.hpp>
#include <berth/spec/sysctl.hpp>
