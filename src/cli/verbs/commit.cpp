// SPDX-License-Identifier: Apache-2.0
// `berth commit`: an image made of a sandbox, in an OCI image layout.
#include "interrupts.hpp"
#include "lookup.hpp"
#include "loop.hpp"
#include "progress.hpp"
#include "ticker.hpp"
#include "options/variables.hpp"

#include <berth/sandbox/image.hpp>
#include <berth/spec/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <filesystem>

namespace berth::cli {
namespace {

struct commit_call {
  std::string id, image, entrypoint, command;
  variable_options variables;
  image_options options;
};

// Docker's two forms: a JSON array is the words as they are, anything else is for a shell.
result<std::vector<std::string>> command_words(const std::string& text, const std::string& option) {
  if (text.empty()) return std::vector<std::string>();
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == text.npos) return usage_error("the value is empty", option);
  if (text[first] != '[') return std::vector<std::string>{"/bin/sh", "-c", text};
  const auto parsed = parsed_json::parse(text);
  if (!parsed || !parsed->root().is_array())
    return usage_error("not a JSON array of strings: " + in_quotes(text), option);
  std::vector<std::string> words = parsed->root().texts();
  if (words.empty() || words.size() != parsed->root().size())
    return usage_error("not a JSON array of strings: " + in_quotes(text), option);
  return words;
}

// The options' layout and tag, of LAYOUT:TAG.
result<void> divide(const std::string& image, image_options& into) {
  const std::size_t colon = image.rfind(':');
  if (colon == image.npos || colon == 0 || image.find('/', colon) != image.npos)
    return usage_error("a directory and a tag are needed, LAYOUT:TAG, not " + in_quotes(image), "IMAGE");
  into.tag = image.substr(colon + 1);
  if (auto good = check_image_tag(into.tag); !good) return usage_error(good.error(), "IMAGE");
  std::error_code ignored;
  const std::string_view layout = std::string_view(image).substr(0, colon);
  into.layout = std::filesystem::absolute(layout.substr(layout.starts_with("./") ? 2 : 0), ignored).string();
  return {};
}

// The exit code, 128 + n after a signal, which leaves nothing half-made.
boost::asio::awaitable<result<int>> make(std::shared_ptr<sandbox> box, image_options options, progress& bar,
                                         bool json_wanted) {
  const auto loop = co_await boost::asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  bar.start("packing the image");
  const std::string image = options.layout + ":" + options.tag;
  auto work = commit_image(std::move(box), std::move(options));
  auto made = co_await until_interrupted(std::move(work), signals);
  bar.stop();
  if (!made && signals.first() != 0) co_return 128 + signals.first();
  if (!made) co_return std::move(made).error();
  if (!json_wanted) co_return print_text(made->digest + "\n") ? int{exit_ok} : int{exit_failed};
  json_writer out(2);
  out.open_object();
  out.key("image").string(image);
  out.key("digest").string(made->digest);
  out.key("size").unsigned_number(made->size);
  out.close_object();
  co_return print_json(std::move(out)) ? int{exit_ok} : int{exit_failed};
}

int act(const commit_call& c, invocation& call) {
  image_options options = c.options;
  if (const auto good = divide(c.image, options); !good) return fail(good.error(), call);
  auto variables = gather_variables(c.variables);
  if (!variables) return fail(variables.error(), call);
  options.env = std::move(*variables);
  auto entrypoint = command_words(c.entrypoint, "--entrypoint");
  if (!entrypoint) return fail(entrypoint.error(), call);
  options.entrypoint = std::move(*entrypoint);
  auto command = command_words(c.command, "--cmd");
  if (!command) return fail(command.error(), call);
  options.command = std::move(*command);
  if (const auto good = check_image_options(options); !good) return fail(usage_error(good.error(), {}), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  options.umoci = find_program("umoci");
  if (options.umoci.empty())
    return fail(make_error(errc::not_found, "cli", "umoci, which packs images, is not on PATH", {},
                           "install the package umoci"),
                call);
  progress bar(call.common.output());
  const auto done = run_loop(make(*box, std::move(options), bar, call.common.json));
  return done ? *done : fail(done.error(), call);
}

}  // namespace

void add_commit(CLI::App& app, invocation& call) {
  auto c = std::make_shared<commit_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_option("IMAGE", c->image,
                 "LAYOUT:TAG: a directory that is an OCI image layout, made if it is not there, and a name in it")
      ->required();
  add_variables(app, c->variables);
  app.add_option("-w,--workdir", c->options.workdir, "where containers of the image start");
  app.add_option("--entrypoint", c->entrypoint, "what they run: a JSON array of words, or a line for /bin/sh -c");
  app.add_option("--cmd", c->command, "the same, or its arguments where there is an entrypoint");
  app.add_option("-a,--author", c->options.author, "who made the image");
  app.add_option("-m,--message", c->options.message, "what stands in the image's history");
  add_examples(app, {"berth commit box ./images:v1 --cmd '[\"nginx\", \"-g\", \"daemon off;\"]'",
                     "skopeo copy oci:./images:v1 docker://registry.example/box:v1"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
