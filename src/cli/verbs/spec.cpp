// SPDX-License-Identifier: Apache-2.0
// `berth spec docker`: what Docker needs, put into the OCI spec of somebody who runs sandboxes himself.
#include "options/options.hpp"
#include "run/run_options.hpp"

#include <berth/base/file.hpp>
#include <berth/docker/recipe.hpp>
#include <berth/spec/diff.hpp>
#include <berth/spec/spec_builder.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace berth::cli {
namespace {

struct spec_call {
  std::string cgroup = "sandbox", data_root = "tmpfs", data_root_path = "/var/lib/docker", guest, file;
  bool explain = false, raise_limits = false;
};

constexpr std::size_t largest_spec = 16u << 20;  // what the parser takes

result<std::string> read_input() {
  if (::isatty(STDIN_FILENO) == 1)
    return usage_error("the spec is read from standard input: berth spec docker < config.json");
  std::string text;
  const int failed = read_all(STDIN_FILENO, text, largest_spec);
  if (failed == EFBIG)
    return make_error(errc::spec_too_large, "spec", "the spec on standard input is longer than 16 MiB");
  if (failed != 0) return errno_error(failed, "cli", "cannot read standard input");
  return text;
}

std::string_view change_name(spec_change::kind what) {
  switch (what) {
    case spec_change::kind::added: return "added";
    case spec_change::kind::removed: return "removed";
    case spec_change::kind::changed: return "changed";
  }
  return "changed";
}

// The explanation goes to stderr: stdout is the spec.
void explain(const std::vector<std::string>& steps, const std::vector<spec_change>& changes, bool as_json) {
  std::string text;
  if (as_json) {
    json_writer out;
    write_strings(out.open_object().key("steps"), steps);
    out.key("changes").open_array();
    for (const spec_change& c : changes) {
      out.open_object().key("pointer").string(c.pointer).key("what").string(change_name(c.what));
      if (!c.before.empty()) out.key("before").raw(c.before);
      if (!c.after.empty()) out.key("after").raw(c.after);
      out.close_object();
    }
    text = out.close_array().close_object().take() + "\n";
  } else {
    for (const std::string& step : steps) text += "# " + printable(step) + "\n";
    text += changes.empty() ? std::string("# nothing had to be changed\n") : printable(format_diff(changes));
    if (!text.ends_with('\n')) text += '\n';
  }
  write_all(STDERR_FILENO, text);
}

int act(const spec_call& c, invocation& call) {
  docker_recipe recipe;
  recipe.data_root_path = c.data_root_path;
  const auto mode = parse_cgroup_mode(c.cgroup);
  if (!mode) return fail(usage_error(mode.error(), "--cgroup"), call);
  recipe.cgroup = *mode;
  if (c.data_root != "none") {
    const auto root = data_root_of(c.data_root);
    if (!root) return fail(root.error(), call);
    recipe.data_root = *root;
  }
  recipe.raise_limits = c.raise_limits;
  if (!c.guest.empty()) recipe.guest = absolute_path(c.guest);
  auto spec = [&]() -> result<spec_builder> {
    if (!c.file.empty()) return spec_builder::load(c.file);
    const auto text = read_input();
    if (!text) return text.error();
    return spec_builder::parse(*text);
  }();
  if (!spec) return fail(spec.error(), call);
  const auto before = spec->clone();
  if (!before) return fail(before.error(), call);
  output_options log = call.common.output();
  if (c.explain) log.level = std::max(log.level, log_level::warn);  // the explanation says the rest
  const auto steps = apply_docker(*spec, recipe, stderr_sink(log));
  if (!steps) return fail(steps.error(), call);
  if (c.explain) explain(*steps, diff_specs(*before, *spec), call.common.json);
  if (!c.file.empty()) {
    struct stat before_it {};
    const bool there = ::stat(c.file.c_str(), &before_it) == 0;
    const auto written = spec->write_file(c.file, there ? before_it.st_mode & 0777 : 0600);
    return written ? int{exit_ok} : fail(written.error(), call);
  }
  const auto text = spec->file_text();
  if (!text) return fail(text.error(), call);
  return print_text(*text) ? exit_ok : exit_failed;
}

}  // namespace

void add_spec(CLI::App& app, invocation& call) {
  app.require_subcommand(1);
  CLI::App* docker = app.add_subcommand("docker", "add what Docker needs, from standard input to standard output");
  auto c = std::make_shared<spec_call>();
  add_from_table(*docker, "recipe.cgroup", c->cgroup);
  add_from_table(*docker, "recipe.data_root", c->data_root);
  add_from_table(*docker, "recipe.data_root_path", c->data_root_path);
  add_from_table(*docker, "recipe.raise_limits", c->raise_limits);
  add_from_table(*docker, "recipe.guest", c->guest);
  add_from_table(*docker, "spec_verb.explain", c->explain);
  add_from_table(*docker, "spec_verb.in_place", c->file);
  add_examples(*docker, {"berth spec docker < config.json > config.docker.json",
                         "berth spec docker --explain --in-place bundle/config.json",
                         "berth spec docker --data-root tmpfs:4Gi < config.json | sponge config.json"});
  docker->callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
