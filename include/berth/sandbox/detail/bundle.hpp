// The bundle of a sandbox: config.json and the files that are bound over /etc.
#pragma once

#include <berth/network/plan.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/spec/spec.hpp>

#include <string>

namespace berth::detail {

/// /etc/hosts for the inside. Pure.
BERTH_DECL std::string hosts_file(const sandbox_record& record);

/// The OCI spec of the sandbox, `what.edit_spec` applied last. Pure but for that. `init` is berth-init on the host;
/// `resolver` says whether there is a resolv.conf in the bundle.
BERTH_DECL result<spec_builder> sandbox_spec(const sandbox_record& record, const sandbox_config& what,
                                             const std::string& init, bool resolver);

/// Writes hosts, hostname, resolv.conf and config.json into the bundle's directory.
BERTH_DECL result<void> write_bundle(const sandbox_record& record, const sandbox_config& what, const std::string& init,
                                     const resolver_config& resolver);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/bundle.ipp>
#endif
