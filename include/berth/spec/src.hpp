// SPDX-License-Identifier: Apache-2.0
// Every body of the spec layer.
#pragma once

#include <berth/impl/spec/annotations.ipp>
#include <berth/impl/spec/byte_size.ipp>
#include <berth/impl/spec/capabilities.ipp>
#include <berth/impl/spec/diff.ipp>
#include <berth/impl/spec/document.ipp>
#include <berth/impl/spec/env.ipp>
#include <berth/impl/spec/free_json.ipp>
#include <berth/impl/spec/hostname.ipp>
#include <berth/impl/spec/id.ipp>
#include <berth/impl/spec/json.ipp>
#include <berth/impl/spec/masked_paths.ipp>
#include <berth/impl/spec/merge.ipp>
#include <berth/impl/spec/minimal_spec.ipp>
#include <berth/impl/spec/mounts.ipp>
#include <berth/impl/spec/namespaces.ipp>
#include <berth/impl/spec/process.ipp>
#include <berth/impl/spec/resources.ipp>
#include <berth/impl/spec/rlimits.ipp>
#include <berth/impl/spec/root.ipp>
#include <berth/impl/spec/scan.ipp>
#include <berth/impl/spec/seccomp.ipp>
#include <berth/impl/spec/spec_builder.ipp>
#include <berth/impl/spec/spec_file.ipp>
#include <berth/impl/spec/sysctl.ipp>
#include <berth/impl/spec/text_checks.ipp>
#include <berth/impl/spec/write_json.ipp>
