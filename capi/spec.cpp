// SPDX-License-Identifier: Apache-2.0
// berth_spec: conversion only, the work is done in berth/spec.
#include "detail/docker_options.hpp"
#include "detail/json_out.hpp"
#include "detail/options.hpp"
#include "detail/spec.hpp"

#include <berth/docker/recipe.hpp>
#include <berth/spec/spec.hpp>

using berth::capi::clear_out;
using berth::capi::guard;
using berth::capi::spec_object;

static berth::result<void> hand_out_spec(berth_spec** out, berth::result<berth::spec_builder>&& made) {
  if (!made) return std::move(made).error();
  return berth::capi::hand_out<spec_object>(out, std::move(*made));
}

berth_status berth_spec_parse(const char* json, size_t json_len, berth_spec** spec, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(spec, "spec"));
    BERTH_TEXT(text, json, json_len);
    return hand_out_spec(spec, berth::spec_builder::parse(text));
  });
}

berth_status berth_spec_load(const char* path, size_t path_len, berth_spec** spec, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(spec, "spec"));
    BERTH_TEXT(file, path, path_len);
    BERTH_TRY(berth::capi::check_path(file, "path"));
    return hand_out_spec(spec, berth::spec_builder::load(std::string(file)));
  });
}

berth_status berth_spec_clone(const berth_spec* spec, berth_spec** copy, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(copy, "copy"));
    BERTH_PIN(s, spec_object, spec);
    return hand_out_spec(copy, s->spec.clone());
  });
}

void berth_spec_free(berth_spec* spec) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(spec), spec_object::kind);
}

berth_status berth_spec_to_json(const berth_spec* spec, berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_PIN(s, spec_object, spec);
    *json = berth::capi::make_buffer_handle(s->spec.to_json());
    return {};
  });
}

berth_status berth_spec_save(const berth_spec* spec, const char* path, size_t path_len, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(s, spec_object, spec);
    BERTH_TEXT(file, path, path_len);
    BERTH_TRY(berth::capi::check_path(file, "path"));
    return s->spec.write_file(std::string(file));
  });
}

berth_status berth_spec_apply_docker(berth_spec* spec, const char* options, size_t options_len, berth_buffer** seen_to,
                                     berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    if (seen_to != nullptr) *seen_to = nullptr;
    BERTH_PIN(s, spec_object, spec);
    BERTH_TEXT(text, options, options_len);
    berth::capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("recipe");
    auto recipe = berth::capi::read_docker_recipe(o);
    o.into(recipe.raise_limits, o.boolean("raise_limits"));
    o.into(recipe.guest, o.text("guest"));
    o.finish();
    BERTH_TRY(given.outcome());
    std::vector<berth::log_event> lines;
    berth::log_sink listening;
    if (seen_to != nullptr) listening = [&](const berth::log_event& e) { lines.push_back(e); };
    auto steps = berth::apply_docker(s->spec, recipe, listening);
    if (!steps) return std::move(steps).error();
    if (seen_to == nullptr) return {};
    berth::json_writer out;
    out.open_object().key("steps").open_array();
    for (const std::string& step : *steps) out.string(step);
    out.close_array().key("log").open_array();
    for (const berth::log_event& line : lines) berth::capi::write_log_event(out, line);
    out.close_array().close_object();
    *seen_to = berth::capi::make_buffer_handle(out.take());
    return {};
  });
}

berth_status berth_spec_merge(berth_spec* spec, const char* patch, size_t patch_len, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(s, spec_object, spec);
    BERTH_TEXT(text, patch, patch_len);
    return berth::merge_spec(s->spec, text);
  });
}

berth_status berth_spec_diff(const berth_spec* before, const berth_spec* after, berth_buffer** json,
                             berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    berth::json_writer out;
    out.open_array();
    if (before != after) {  // one spec cannot be pinned twice, and does not differ from itself
      BERTH_PIN(a, spec_object, before);
      BERTH_PIN(b, spec_object, after);
      for (const berth::spec_change& change : berth::diff_specs(a->spec, b->spec)) {
        using kind = berth::spec_change::kind;
        const bool added = change.what == kind::added;
        const bool removed = change.what == kind::removed;
        out.open_object().key("op").string(added ? "add" : removed ? "remove" : "replace");
        out.key("path").string(change.pointer);
        if (!added) out.key("before").raw(change.before);
        if (!removed) out.key("after").raw(change.after);
        out.close_object();
      }
    } else {
      BERTH_PIN(a, spec_object, before);
    }
    *json = berth::capi::make_buffer_handle(out.close_array().take());
    return {};
  });
}

// A mutation: `change` gets the builder.
template <class Change>
static berth_status mutate_spec(berth_spec* spec, berth_error** err, Change change) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(s, spec_object, spec);
    return change(s->spec);
  });
}

static berth::result<berth::capability_sets> read_capability_sets(uint32_t sets) {
  if (sets == 0 || (sets & ~static_cast<uint32_t>(berth::capability_sets::all)) != 0) {
    return berth::make_error(berth::errc::invalid, "capi", "sets names no set of capabilities, or an unknown one",
                             "sets", "or together BERTH_CAP_ constants");
  }
  return static_cast<berth::capability_sets>(sets);
}

berth_status berth_spec_add_capability(berth_spec* spec, const char* name, size_t name_len, uint32_t sets,
                                       berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(cap, name, name_len);
    const auto where = read_capability_sets(sets);
    if (!where) return where.error();
    return berth::spec_capabilities(s).add(std::span(&cap, 1), *where);
  });
}

berth_status berth_spec_remove_capability(berth_spec* spec, const char* name, size_t name_len, uint32_t sets,
                                          berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(cap, name, name_len);
    const auto where = read_capability_sets(sets);
    if (!where) return where.error();
    return berth::spec_capabilities(s).remove(std::span(&cap, 1), *where);
  });
}

berth_status berth_spec_set_args(berth_spec* spec, const char* args, size_t args_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(text, args, args_len);
    auto list = berth::capi::parse_string_array(text, "args");
    if (!list) return std::move(list).error();
    return berth::spec_process(s).set_args(*list);
  });
}

berth_status berth_spec_set_cwd(berth_spec* spec, const char* cwd, size_t cwd_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(path, cwd, cwd_len);
    return berth::spec_process(s).set_cwd(path);
  });
}

berth_status berth_spec_set_env(berth_spec* spec, const char* name, size_t name_len, const char* value,
                                size_t value_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(key, name, name_len);
    BERTH_TEXT(text, value, value_len);
    return berth::spec_env(s).set(key, text);
  });
}

berth_status berth_spec_remove_env(berth_spec* spec, const char* name, size_t name_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(key, name, name_len);
    return berth::spec_env(s).remove(key);
  });
}

berth_status berth_spec_set_hostname(berth_spec* spec, const char* hostname, size_t hostname_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(name, hostname, hostname_len);
    return berth::spec_hostname(s).set(name);
  });
}

berth_status berth_spec_set_root(berth_spec* spec, const char* path, size_t path_len, int32_t read_only,
                                 berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(text, path, path_len);
    return s.apply([&](berth::spec_builder& b) { return berth::spec_root(b).set_path(text); },
                   [&](berth::spec_builder& b) { return berth::spec_root(b).set_readonly(read_only != 0); });
  });
}

berth_status berth_spec_set_mount(berth_spec* spec, const char* mount, size_t mount_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(text, mount, mount_len);
    berth::capi::options_text options;
    BERTH_TRY(options.parse(text));
    auto o = options.root("spec_mount");
    berth::spec_mount made;
    o.into(made.destination, o.text("destination"));
    o.into(made.type, o.text("type"));
    o.into(made.source, o.text("source"));
    o.into(made.options, o.texts("options"));
    o.finish();
    BERTH_TRY(options.outcome());
    return berth::spec_mounts(s).set(made);
  });
}

berth_status berth_spec_remove_mount(berth_spec* spec, const char* destination, size_t destination_len,
                                     berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(path, destination, destination_len);
    return berth::spec_mounts(s).remove(path);
  });
}

berth_status berth_spec_set_namespace(berth_spec* spec, const char* type, size_t type_len, const char* path,
                                      size_t path_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(kind, type, type_len);
    BERTH_TEXT(place, path, path_len);
    return berth::spec_namespaces(s).set({std::string(kind), std::string(place)});
  });
}

berth_status berth_spec_remove_namespace(berth_spec* spec, const char* type, size_t type_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(kind, type, type_len);
    return berth::spec_namespaces(s).remove(kind);
  });
}

berth_status berth_spec_set_annotation(berth_spec* spec, const char* key, size_t key_len, const char* value,
                                       size_t value_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(name, key, key_len);
    BERTH_TEXT(text, value, value_len);
    return berth::spec_annotations(s).set(name, text);
  });
}

berth_status berth_spec_remove_annotation(berth_spec* spec, const char* key, size_t key_len, berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(name, key, key_len);
    return berth::spec_annotations(s).remove(name);
  });
}

berth_status berth_spec_set_rlimit(berth_spec* spec, const char* type, size_t type_len, uint64_t soft, uint64_t hard,
                                   berth_error** err) {
  return mutate_spec(spec, err, [&](berth::spec_builder& s) -> berth::result<void> {
    BERTH_TEXT(kind, type, type_len);
    return berth::spec_rlimits(s).set({std::string(kind), soft, hard});
  });
}
