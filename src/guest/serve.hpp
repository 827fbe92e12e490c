// SPDX-License-Identifier: Apache-2.0
// What `berth-init [--socket PATH]` does: it reaps, and takes the host's commands.
#pragma once

namespace berth::guest {

/// Until SIGTERM or SIGINT. The exit code of the program: 2 for arguments that it does not know, or where it is not the first
/// process and has no socket to serve.
int serve(int argc, char** argv);

}  // namespace berth::guest
