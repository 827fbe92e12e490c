// SPDX-License-Identifier: Apache-2.0
// berth_runsc: what a runsc binary can do.
#include "detail/json_out.hpp"
#include "detail/options.hpp"
#include "detail/runsc.hpp"

#include <berth/process/run_blocking.hpp>
#include <berth/runsc/probe.hpp>

namespace berth::capi {

result<runsc_binary> probe_runsc_blocking(std::string_view name, std::string_view cache_dir) {
  const time_point deadline = deadline_after(seconds(30));
  const runsc_runner run = [deadline](const std::vector<std::string>& argv) { return run_blocking(argv, deadline); };
  return berth::probe_runsc(name, run, cache_dir);
}

}  // namespace berth::capi

using berth::capi::clear_out;
using berth::capi::guard;
using berth::capi::runsc_object;

static berth::result<void> hand_out_runsc(berth_runsc** out, berth::result<berth::runsc_binary>&& made) {
  if (!made) return std::move(made).error();
  return berth::capi::hand_out<runsc_object>(out, std::move(*made));
}

berth_status berth_runsc_probe(const char* name, size_t name_len, const char* cache_dir, size_t cache_dir_len,
                               berth_runsc** runsc, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(runsc, "runsc"));
    BERTH_TEXT(binary, name, name_len);
    BERTH_TEXT(cache, cache_dir, cache_dir_len);
    return hand_out_runsc(runsc, berth::capi::probe_runsc_blocking(binary, cache));
  });
}

berth_status berth_runsc_from_text(const char* path, size_t path_len, const char* texts, size_t texts_len,
                                   berth_runsc** runsc, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(runsc, "runsc"));
    BERTH_TEXT(binary, path, path_len);
    BERTH_TEXT(json, texts, texts_len);
    berth::capi::options_text given;
    BERTH_TRY(given.parse(json));
    auto o = given.root("runsc_texts");
    berth::runsc_texts said;
    o.into(said.version, o.text("version"));
    o.into(said.flags, o.text("flags"));
    o.into(said.verbs, o.text("verbs"));
    if (auto help = o.pairs("help")) said.help.insert(help->begin(), help->end());
    o.finish();
    BERTH_TRY(given.outcome());
    return hand_out_runsc(runsc, berth::runsc_binary::from_text(std::string(binary), said));
  });
}

void berth_runsc_free(berth_runsc* runsc) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(runsc), runsc_object::kind);
}

berth_status berth_runsc_to_json(const berth_runsc* runsc, berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_PIN(r, runsc_object, runsc);
    const berth::runsc_binary& binary = r->binary;
    berth::json_writer out;
    out.open_object().key("path").string(binary.path());
    out.key("version").string(binary.version().text).key("date").unsigned_number(binary.version().date);
    out.key("packet_write_flag").string(binary.packet_write_flag()).key("flags").open_array();
    for (const berth::runsc_flag& flag : binary.flags()) {
      out.open_object().key("name").string(flag.name).key("value").string(flag.value);
      out.key("default").string(flag.default_value).key("no_effect").boolean(flag.no_effect).close_object();
    }
    *json = berth::capi::make_buffer_handle(out.close_array().close_object().take());
    return {};
  });
}

berth_status berth_runsc_has(const berth_runsc* runsc, const char* verb, size_t verb_len, const char* flag,
                             size_t flag_len, int32_t* has, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(has, "has"));
    BERTH_PIN(r, runsc_object, runsc);
    BERTH_TEXT(v, verb, verb_len);
    BERTH_TEXT(f, flag, flag_len);
    if (v.empty() && f.empty()) {
      return berth::make_error(berth::errc::invalid, "capi", "neither a verb nor an option is named", "flag");
    }
    *has = (v.empty() ? r->binary.has(f) : f.empty() ? r->binary.has_verb(v) : r->binary.has(v, f)) ? 1 : 0;
    return {};
  });
}
