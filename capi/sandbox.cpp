// SPDX-License-Identifier: Apache-2.0
// berth_sandbox: sandboxes of berth's own.
#include "detail/command_options.hpp"
#include "detail/sandbox_operation.hpp"

#include <berth/managed/machine_checks.hpp>

namespace berth::capi {

// In a sandbox by its own executor handle: the sandbox's core is not taken down with it.
class sandbox_executor_core final : public executor_core {
 public:
  explicit sandbox_executor_core(std::shared_ptr<sandbox_core> box) : executor_core(box->loop), box_(std::move(box)) {}
  result<executor*> place() override { return box_->place(); }

 private:
  const std::shared_ptr<sandbox_core> box_;
};

// A verb of the library's own that tells nothing but whether it was done.
static sandbox_verb plain(std::function<asio::awaitable<result<void>>(sandbox&, time_point deadline)> verb) {
  return [verb = std::move(verb)](sandbox_core& core, op_pointer op) {
    return core.perform([verb, deadline = op->deadline](sandbox& box) { return verb(box, deadline); });
  };
}

}  // namespace berth::capi

namespace capi = berth::capi;
using berth::time_point;
using berth::capi::clear_out;
using berth::capi::guard;
using berth::capi::op_pointer;
using berth::capi::plain;
using berth::capi::sandbox_core;

berth_status berth_sandbox_create(berth_loop* loop, const char* where, size_t where_len, const char* config,
                                  size_t config_len, const berth_op_options* op_options, berth_sandbox** sandbox,
                                  uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(sandbox, "sandbox"));
    BERTH_TRY(clear_out(op, "op"));
    BERTH_TEXT(place, where, where_len);
    BERTH_TEXT(text, config, config_len);
    auto request = capi::read_sandbox_request(place, text);
    if (!request) return std::move(request).error();
    auto shared = std::make_shared<capi::sandbox_request>(std::move(*request));
    return capi::begin_sandbox(loop, shared->where, op_options, sandbox, op,
                               [shared](sandbox_core& c, op_pointer o) { return c.create(shared, std::move(o)); });
  });
}

berth_status berth_sandbox_attach(berth_loop* loop, const char* where, size_t where_len, const char* id, size_t id_len,
                                  const berth_op_options* op_options, berth_sandbox** sandbox, uint64_t* op,
                                  berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(sandbox, "sandbox"));
    BERTH_TRY(clear_out(op, "op"));
    BERTH_TEXT(place, where, where_len);
    BERTH_TEXT(name, id, id_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    BERTH_TRY(berth::check_sandbox_id(name));
    return capi::begin_sandbox(
        loop, std::move(*environment), op_options, sandbox, op,
        [box = std::string(name)](sandbox_core& c, op_pointer o) { return c.attach(box, std::move(o)); });
  });
}

void berth_sandbox_free(berth_sandbox* sandbox) {
  capi::handle_free(reinterpret_cast<capi::handle_token>(sandbox), capi::handle_kind::sandbox);
}

berth_status berth_sandbox_id(berth_sandbox* sandbox, berth_buffer** id, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(id, "id"));
    auto core = capi::sandbox_of(sandbox);
    if (!core) return std::move(core).error();
    auto text = (*core)->id();
    if (!text) return std::move(text).error();
    *id = capi::make_buffer_handle(std::move(*text));
    return {};
  });
}

berth_status berth_sandbox_state(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                 berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer o) { return c.state(std::move(o)); });
}

berth_status berth_sandbox_exec(berth_sandbox* sandbox, const char* options, size_t options_len,
                                const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(op, "op"));
    auto core = capi::sandbox_of(sandbox);
    if (!core) return std::move(core).error();
    BERTH_TEXT(text, options, options_len);
    auto started = capi::start_exec(*core, text, op_options);
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

berth_status berth_sandbox_pause(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                 berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 plain([](berth::sandbox& box, time_point) { return box.pause(); }));
}

berth_status berth_sandbox_resume(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                  berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err, plain([](berth::sandbox& box, time_point) {
                                   return box.resume(berth::seconds(120));
                                 }));
}

berth_status berth_sandbox_hibernate(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                     berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 plain([](berth::sandbox& box, time_point) { return box.hibernate(); }));
}

berth_status berth_sandbox_egress(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                  berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer) { return c.egress(std::nullopt); });
}

berth_status berth_sandbox_set_egress(berth_sandbox* sandbox, const char* rules, size_t rules_len,
                                      const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, rules, rules_len);
    auto words = capi::parse_string_array(text, "rules");
    if (!words) return std::move(words).error();
    auto policy = berth::parse_egress(*words);
    if (!policy) return std::move(policy).error();
    return [wanted = std::move(*policy)](sandbox_core& c, op_pointer) { return c.egress(wanted); };
  });
}

berth_status berth_sandbox_ports(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                 berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err, [](sandbox_core& c, op_pointer) { return c.ports(); });
}

berth_status berth_sandbox_container_stats(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                           berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer) { return c.container_stats(); });
}

berth_status berth_sandbox_diagnose(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                    berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer) { return c.diagnose(); });
}

berth_status berth_sandbox_hand_over(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                     berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 plain([](berth::sandbox& box, time_point) { return box.hand_over(); }));
}

berth_status berth_sandbox_logs(berth_sandbox* sandbox, const char* which, size_t which_len, size_t limit,
                                const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(word, which, which_len);
    std::optional<berth::sandbox_log> log;
    if (word == "command") log = berth::sandbox_log::command;
    if (word == "daemon") log = berth::sandbox_log::daemon;
    if (word == "init") log = berth::sandbox_log::init;
    if (!log) {
      return berth::make_error(berth::errc::invalid, "capi",
                               "which log is none of \"command\", \"daemon\" and \"init\"", "which");
    }
    return [log = *log, limit](sandbox_core& c, op_pointer) { return c.logs(log, limit == 0 ? 65536 : limit); };
  });
}

berth_status berth_sandbox_annotate(berth_sandbox* sandbox, const char* key, size_t key_len, const char* value,
                                    size_t value_len, const berth_op_options* op_options, uint64_t* op,
                                    berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(name, key, key_len);
    BERTH_TEXT(text, value, value_len);
    return plain([name = std::string(name), text = std::string(text)](berth::sandbox& box, time_point) {
      return box.annotate(name, text);
    });
  });
}

berth_status berth_sandbox_wait_stopped(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                        berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err, plain([](berth::sandbox& box, time_point deadline) {
                                   return box.wait_stopped(deadline);
                                 }));
}

berth_status berth_sandbox_start_detached(berth_sandbox* sandbox, const char* options, size_t options_len,
                                          const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("start_detached");
    berth::command what;
    std::string log;
    capi::read_command(o, what);
    o.into(log, o.text("log"));
    o.finish();
    capi::need_program(o, what);
    if (!log.starts_with('/')) o.complain("log", "an absolute path is wanted");
    BERTH_TRY(given.outcome());
    return [what = std::move(what), log = std::move(log)](sandbox_core& c, op_pointer) {
      return c.start_detached(what, log);
    };
  });
}

berth_status berth_sandbox_export(berth_sandbox* sandbox, const char* file, size_t file_len,
                                  const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(path, file, file_len);
    BERTH_TRY(capi::check_path(path, "file"));
    return plain([to = std::string(path)](berth::sandbox& box, time_point) { return box.export_changes(to); });
  });
}

berth_status berth_sandbox_commit(berth_sandbox* sandbox, const char* options, size_t options_len,
                                  const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("commit");
    berth::image_options image;
    o.into(image.layout, o.text("layout"));
    o.into(image.tag, o.text("tag"));
    o.into(image.env, o.environment("env"));
    o.into(image.workdir, o.text("workdir"));
    o.into(image.entrypoint, o.texts("entrypoint"));
    o.into(image.command, o.texts("command"));
    o.into(image.author, o.text("author"));
    o.into(image.message, o.text("message"));
    o.into(image.umoci, o.text("umoci"));
    o.finish();
    if (!image.layout.starts_with('/')) o.complain("layout", "an absolute path is wanted");
    BERTH_TRY(given.outcome());
    BERTH_TRY(berth::check_image_options(image));
    return [image = std::move(image)](sandbox_core& c, op_pointer) { return c.commit(image); };
  });
}

berth_status berth_sandbox_terminate(berth_sandbox* sandbox, const char* options, size_t options_len,
                                     const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    capi::options_text given;
    BERTH_TRY(given.parse(text));
    auto o = given.root("terminate");
    berth::terminate_options how;
    o.into(how.force, o.boolean("force"));
    o.into(how.timeout, o.milliseconds_of("timeout_ms"));
    o.finish();
    BERTH_TRY(given.outcome());
    return [how](sandbox_core& c, op_pointer o2) { return c.terminate(how, std::move(o2)); };
  });
}

berth_status berth_sandbox_start_docker(berth_sandbox* sandbox, const char* options, size_t options_len,
                                        const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    BERTH_TEXT(text, options, options_len);
    berth::docker_recipe recipe;
    capi::daemon_settings settings;
    bool enabled = true;
    bool start = true;
    BERTH_TRY(capi::read_managed_docker(text, recipe, settings, enabled, start));
    return [copy = std::string(text)](sandbox_core& c, op_pointer o) { return c.start_docker(copy, std::move(o)); };
  });
}

berth_status berth_sandbox_wait_docker(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                       berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer o) { return c.wait_docker(std::move(o)); });
}

berth_status berth_sandbox_docker_status(berth_sandbox* sandbox, const berth_op_options* op_options, uint64_t* op,
                                         berth_error** err) {
  return capi::sandbox_operation(sandbox, op_options, op, err,
                                 [](sandbox_core& c, op_pointer o) { return c.docker_status(std::move(o)); });
}

berth_status berth_find_init(const char* where, size_t where_len, berth_buffer** path, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(path, "path"));
    BERTH_TEXT(place, where, where_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    auto found = berth::find_init(*environment);
    if (!found) return std::move(found).error();
    *path = capi::make_buffer_handle(std::move(*found));
    return {};
  });
}

berth_status berth_check_machine(const char* where, size_t where_len, const char* rootfs, size_t rootfs_len,
                                 berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_TEXT(place, where, where_len);
    BERTH_TEXT(directory, rootfs, rootfs_len);
    auto environment = capi::read_environment(place);
    if (!environment) return std::move(environment).error();
    const auto checks = berth::check_machine(*environment, {std::string(directory), {}});
    berth::json_writer out;
    out.open_object();
    berth::write_members(out, checks);
    *json = capi::make_buffer_handle(out.close_object().take());
    return {};
  });
}

berth_status berth_sandbox_events(berth_sandbox* sandbox, int32_t follow, const berth_op_options* op_options,
                                  uint64_t* op, berth_error** err) {
  return capi::checked_sandbox_operation(sandbox, op_options, op, err, [&]() -> berth::result<capi::sandbox_verb> {
    if (follow != 0 && follow != 1)
      return berth::make_error(berth::errc::invalid, "capi", "follow is 0 or 1", "follow");
    return [follow](sandbox_core& c, op_pointer o) { return c.events(follow != 0, std::move(o)); };
  });
}

berth_status berth_sandbox_docker_host(berth_sandbox* sandbox, berth_buffer** url, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(url, "url"));
    auto core = capi::sandbox_of(sandbox);
    if (!core) return std::move(core).error();
    auto socket = (*core)->docker_socket();
    if (!socket) return std::move(socket).error();
    *url = capi::make_buffer_handle("unix://" + *socket);
    return {};
  });
}

berth_status berth_executor_create_sandbox(berth_sandbox* sandbox, berth_executor** executor, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(executor, "executor"));
    auto core = capi::sandbox_of(sandbox);
    if (!core) return std::move(core).error();
    return capi::hand_out_executor(executor, std::make_shared<capi::sandbox_executor_core>(*core));
  });
}

berth_status berth_sandbox_list(berth_loop* loop, const char* where, size_t where_len,
                                const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&] {
    return capi::begin_root_operation(
        loop, {where, where_len}, op_options, op,
        [](std::shared_ptr<capi::loop_core>, berth::environment place) { return capi::list_all(std::move(place)); });
  });
}

berth_status berth_sandbox_collect_garbage(berth_loop* loop, const char* where, size_t where_len,
                                           const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&] {
    return capi::begin_root_operation(
        loop, {where, where_len}, op_options, op,
        [](std::shared_ptr<capi::loop_core>, berth::environment place) { return capi::collect_all(std::move(place)); });
  });
}
