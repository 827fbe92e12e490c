// SPDX-License-Identifier: Apache-2.0
// `berth doctor`: what this machine has, lacks, or has in a form that does not do, each with its remedy, and whether a root
// file system or an image will do; of a sandbox, what is wrong with it, the line that proves it, and what to do.
#include "doctor/doctor_image.hpp"
#include "doctor/doctor_machine.hpp"
#include "lookup.hpp"
#include "loop.hpp"
#include "options/options.hpp"

#include <berth/managed/diagnose.hpp>
#include <berth/managed/sandbox_rules.hpp>

namespace berth::cli {
namespace {

json_writer checks_json(const std::vector<machine_check>& checks, const examined_image& image) {
  json_writer out(2);
  out.open_object();
  if (!image.reference.empty()) {
    out.key("image").open_object().key("reference").string(image.reference);
    out.key("digest").string(image.digest).close_object();
  }
  write_members(out, checks);
  out.close_object();
  return out;
}

std::string text_of(const sandbox_diagnosis& diagnosis) {
  std::string text = diagnosis.status.record.id + " is " + diagnosis.status.state;
  if (diagnosis.status.wants_docker())
    text += ", its Docker " + std::string(daemon_state_name(diagnosis.status.docker().state));
  text += ".\n";
  for (const finding& one : diagnosis.findings) {
    text += "\n" + one.id + ": " + printable(one.cause) + "\n";
    std::string_view rest = one.evidence;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      text += "  " + (one.source.empty() ? std::string() : one.source + ": ") + printable(rest.substr(0, end)) + "\n";
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (!one.remedy.empty()) text += "  remedy: " + printable(in_own_words(one.remedy)) + "\n";
    if (!one.reference.empty()) text += "  see: " + printable(one.reference) + "\n";
  }
  if (diagnosis.findings.empty()) text += "Nothing is known to be wrong with it.\n";
  return text;
}

int examine(const std::string& id, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, id);
  if (!box) return fail_lookup(box.error(), call);
  const sandbox_record record = (*box)->record();
  std::optional<bool> rules;
  if (!record.damaged && needs_rules(record))
    if (const auto bare = find_without_rules({record})) rules = bare->empty();
  const auto found = run_loop(diagnose_sandbox(*where, record, rules));
  if (!found) return fail_lookup(found.error(), call);
  bool printed = false;
  if (call.common.json) {
    json_writer out(2);
    write_json(out, *found);
    printed = print_text(out.take() + '\n');
  } else {
    printed = print_text(text_of(*found));
  }
  return printed && found->findings.empty() ? exit_ok : exit_failed;
}

int show(const std::vector<machine_check>& checks, const examined_image& image, const invocation& call) {
  const bool fit = is_fit(checks);
  bool printed = false;
  if (call.common.json) {
    printed = print_json(checks_json(checks, image));
  } else {
    std::vector<std::vector<std::string>> rows;
    std::string remedies;
    for (const machine_check& c : checks) {
      std::string state(check_state_name(c.state));
      if (c.state != check_state::found && !c.needed) state += " (optional)";
      rows.push_back({c.name, state, printable(c.what, false)});
      if (!c.remedy.empty()) remedies += "\n" + c.name + ": " + printable(in_own_words(c.remedy));
    }
    std::string text = format_table({"CHECK", "STATE", "DETAIL"}, rows);
    if (!remedies.empty()) text += "\nWhat to do:" + remedies + "\n";
    text += fit ? "\nAll that is needed is there.\n" : "\nSomething that is needed is missing or unfit.\n";
    printed = print_text(text);
  }
  return printed && fit ? exit_ok : exit_failed;
}

int act_machine(const std::string& rootfs, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  return show(examine_machine(*where, {rootfs.empty() ? "" : absolute_path(rootfs), {}}), {}, call);
}

int check_image(const std::string& name, invocation& call) {
  const auto image = parse_image_reference(name);
  if (!image) return fail(usage_error(image.error(), "--image"), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  const auto done = examine_image(*where, *image, call.common.output());
  if (!done) return fail(done.error(), call);
  if (done->signal != 0) return 128 + done->signal;
  return show(done->checks, done->image, call);
}

}  // namespace

void add_doctor(CLI::App& app, invocation& call) {
  auto rootfs = std::make_shared<std::string>(), image = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  auto* sandbox = app.add_option("ID", *id, "what is wrong with this sandbox, in place of this machine");
  auto* directory = app.add_option("--rootfs", *rootfs, "check the Docker in this root file system too")
                        ->type_name("DIR")
                        ->excludes(sandbox);
  app.add_option("--image", *image,
                 "check the Docker in this image too: fetched by skopeo, unpacked by umoci, removed again; "
                 "[registry/]name[:tag][@digest], oci:DIR:TAG, docker-archive:FILE, dir:DIR")
      ->type_name("REF")
      ->excludes(sandbox)
      ->excludes(directory);
  add_examples(app, {"berth doctor", "berth doctor --rootfs ./rootfs --json", "berth doctor --image docker:27-dind",
                     "berth doctor box"});
  app.callback([=, &call] {
    call.act = [=, &call] {
      if (!id->empty()) return examine(*id, call);
      return image->empty() ? act_machine(*rootfs, call) : check_image(*image, call);
    };
  });
}

}  // namespace berth::cli
