// SPDX-License-Identifier: Apache-2.0
// The bundle of a sandbox: config.json and the files that go to /etc.
#pragma once

#include <berth/network/plan.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/spec/spec.hpp>

#include <string>
#include <vector>

namespace berth::detail {

/// Where berth-init is inside.
inline constexpr const char* init_inside = "/.berth/init";

/// /etc/hosts for the inside. Pure.
BERTH_DECL std::string hosts_file(const sandbox_record& record);

/// What the sandbox has in /etc of berth's making: name and content. Pure.
struct etc_file {
  const char* name;
  std::string text;
};
BERTH_DECL std::vector<etc_file> etc_files(const sandbox_record& record, const resolver_config& resolver);

/// Puts them into the /etc below `root`, a root file system with a layer of the sandbox's own on top, in place of what is
/// there: inside they are files as any other, to be written, renamed and removed. False where /etc is no directory.
BERTH_DECL result<bool> write_etc(const std::string& root, const std::vector<etc_file>& files);

/// The OCI spec of the sandbox, `what.edit_spec` applied last. Pure but for that. `init` is berth-init on the host; the
/// names `bound` are bound over /etc, read-only, from the bundle.
BERTH_DECL result<spec_builder> sandbox_spec(const sandbox_record& record, const sandbox_config& what,
                                             const std::string& init, const std::vector<etc_file>& bound);

/// The spec of `what.restore_from`, with this sandbox's own places and names in it.
BERTH_DECL result<spec_builder> restored_spec(const sandbox_record& record, const sandbox_config& what,
                                              const std::vector<etc_file>& bound);

/// Writes the files of /etc and config.json into the bundle's directory, and the former, where what.rootfs is the layered
/// root, into that.
BERTH_DECL result<void> write_bundle(const sandbox_record& record, const sandbox_config& what, const std::string& init,
                                     const resolver_config& resolver);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/bundle.ipp>
#endif
