// SPDX-License-Identifier: Apache-2.0
// What one probe found.
#pragma once

#include <berth/base/error.hpp>

#include <utility>

namespace berth {

/// The three levels of readiness are kept apart: the process lives (not asked here: the poller is told when it ends),
/// the socket connects, the API answers.
struct probe_outcome {
  enum class kind {
    ready,    ///< done
    not_yet,  ///< ENOENT, ECONNREFUSED, EAGAIN, a timeout, an answer other than the wanted one
    fatal,    ///< waiting cannot mend it: EMFILE, EACCES, a symlink where a socket must be
  };
  kind what = kind::not_yet;
  bool connected = false;  ///< the socket level was reached
  error reason;            ///< for not_yet and fatal
};

}  // namespace berth
