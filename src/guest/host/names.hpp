// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace berth::guest {

/// `berth-init names ROOT`, on the host, with a locked descriptor of the root's mark (names_lock_fd): goes on answering the questions
/// for names of the root's sandboxes in a process of its own, and returns as soon as that does. The exit code of the program.
int answer_names(const char* root);

}  // namespace berth::guest
