// SPDX-License-Identifier: Apache-2.0
// Docker in a sandbox that berth manages: what its creation needs, and what supervises its daemon.
#pragma once

#include <berth/docker/recipe.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/awaitable.hpp>

namespace berth {

/// Changes `config` so that the sandbox made from it can run Docker: --net-raw, packet-socket writes where the Docker in
/// its root file system needs them and `binary` has the flag, and the recipe, which runs before an `edit_spec` of the
/// caller's own. A data root in memory that is given no size gets half of the memory limit, without one half of the host's
/// memory; one on the host is made ready by open_data_root, or with a size becomes the sandbox's disk. The sandbox keeps its shared directory, where the host finds the
/// socket. `log` gets the contract's lines.
/// Errors: those of open_data_root; daemon_not_present (no dockerd in the root file system), not_found, invalid, unsupported
/// (the pair of runsc and Docker cannot work, with the reason).
BERTH_DECL result<void> add_docker(sandbox_config& config, const docker_recipe& recipe, const runsc_version& runsc,
                                   const log_sink& log = {});

/// The same for the runsc that sandboxes of `where` run on, by find_sandbox_runsc. `config` must stay until the end.
/// Errors: those of finding and asking runsc as well; exists (a live sandbox of where.root has this data root: two that begin
/// at once, and those of other root directories, are not seen).
BERTH_DECL boost::asio::awaitable<result<void>> add_docker(sandbox_config& config, docker_recipe recipe,
                                                           environment where);

/// Fills in what the supervisor of `box` has to know: versions, uplink, sockets, where the host reaches the daemon. `log`,
/// timeouts and policy are the caller's to set. `recipe` is the one given to add_docker. Errors: as reading the root file
/// system and asking runsc.
BERTH_DECL result<supervisor_options> docker_supervisor_options(sandbox& box, const docker_recipe& recipe);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/add_docker.ipp>
#endif
