// SPDX-License-Identifier: Apache-2.0
// Snapshots of sandboxes.
#include "detail/sandbox_operation.hpp"

namespace capi = berth::capi;
using berth::capi::clear_out;
using berth::capi::guard;

berth_status berth_sandbox_snapshot(berth_sandbox* sandbox, const char* options, size_t options_len,
                                    const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("snapshot");
    std::string name;
    berth::snapshot_options wanted;
    o.into(name, o.text("name"));
    o.into(wanted.leave_running, o.boolean("leave_running"));
    o.finish();
    BERTH_TRY(given.outcome());
    BERTH_TRY(berth::check_snapshot_name(name));
    return [name, wanted](capi::sandbox_core& c, capi::op_pointer) { return c.snapshot(name, wanted); };
  });
}

berth_status berth_snapshot_list(const char* where, size_t where_len, berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_TEXT(place, where, where_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    auto all = berth::list_snapshots(*environment);
    if (!all) return std::move(all).error();
    std::string text = "[";
    for (const berth::stored_snapshot& one : *all) text += (text.size() > 1 ? "," : "") + berth::format_snapshot(one);
    *json = capi::make_buffer_handle(text + "]");
    return {};
  });
}

berth_status berth_snapshot_remove(const char* where, size_t where_len, const char* name, size_t name_len,
                                   berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TEXT(place, where, where_len);
    BERTH_TEXT(text, name, name_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    return berth::remove_snapshot(*environment, text);
  });
}
