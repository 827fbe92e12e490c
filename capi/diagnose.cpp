// SPDX-License-Identifier: Apache-2.0
// berth_docker_diagnose: what Docker's failures mean.
#include "detail/json_out.hpp"
#include "detail/runsc.hpp"

#include <berth/docker/diagnose.hpp>

berth_status berth_docker_diagnose(const char* text, size_t text_len, const berth_runsc* runsc, berth_buffer** found,
                                   berth_error** err) {
  return berth::capi::guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(berth::capi::clear_out(found, "found"));
    BERTH_TEXT(said, text, text_len);
    berth::diagnosis_context context;
    if (runsc != nullptr) {
      BERTH_PIN(r, berth::capi::runsc_object, runsc);
      context.runsc_release = r->binary.version().date;
    }
    berth::json_writer out;
    out.open_array();
    for (const berth::diagnosis& known : berth::diagnose_docker(said, context)) {
      out.open_object().key("id").string(known.what.id).key("cause").string(known.what.cause);
      out.key("remedy").string(known.what.remedy).key("reference").string(known.what.reference);
      out.key("evidence").string(known.evidence).close_object();
    }
    *found = berth::capi::make_buffer_handle(out.close_array().take());
    return {};
  });
}
