// The runsc that the command uses.
#pragma once

#include <berth/runsc/binary.hpp>
#include <berth/sandbox/config.hpp>

namespace berth::cli {

/// Asks the runsc of `where` for its release and flags. Cached where sandboxes cache it when the root is there and ours, else
/// in this process only: a verb that only prints must not make directories.
result<runsc_binary> probe_runsc(const environment& where);

}  // namespace berth::cli
