#include "runsc_probe.hpp"

#include <berth/sandbox/detail/runsc_client.hpp>

namespace berth::cli {

result<runsc_binary> probe_runsc(const environment& where) { return detail::find_sandbox_runsc(where, where.root); }

}  // namespace berth::cli
