// SPDX-License-Identifier: Apache-2.0
// What runsc prints about itself, and its logs.
#include <berth/impl/runsc/probe_cache.ipp>
#include <berth/runsc/args.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/flags.hpp>
#include <berth/runsc/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto flags = berth::parse_runsc_flags(text)) {
    for (std::size_t i = 0; i < flags->size(); ++i) {
      const std::string& name = (*flags)[i].name;
      // A name goes into a command line and into messages: nothing but letters, digits, dashes and underscores.
      if (name.empty() || name.find_first_of(std::string_view(" =\0\n/", 5)) != std::string::npos) std::abort();
      if (i != 0 && (*flags)[i - 1].name >= name) std::abort();
    }
    // Whatever it claims to have, what is emitted is what it has.
    const auto binary =
        berth::runsc_binary::from_text("/r", {"runsc version " + text, text, "\trun \n", {{"run", text}}});
    berth::runsc_globals globals;
    globals.root = "/s";
    globals.debug_log = "/l";
    globals.net_raw = true;
    globals.packet_socket_write = true;
    berth::runsc_run_options run;
    run.bundle = "/b";
    if (binary) {
      if (const auto argv = berth::runsc_run_argv(*binary, globals, "a", run)) {
        if (!binary->has("net-raw") || !binary->has("root") || !binary->has("run", "bundle")) std::abort();
      } else if (argv.error().code != berth::errc::runsc_flag_unsupported) {
        std::abort();
      }
    }
  }
  const berth::runsc_version version = berth::parse_runsc_version(text);
  if (version.known() && (version.date < 20180101 || version.date > 20991231)) std::abort();
  (void)berth::parse_runsc_version_output(text);
  const berth::runsc_diagnosis found = berth::diagnose_runsc({{"x.boot.txt", text}, {"x.run.txt", text}}, text);
  for (const std::string& line : found.lines)
    for (unsigned char c : line)
      if (c < ' ' || c == 0x7f) std::abort();
  if (found.lines.size() > 8) std::abort();
  const berth::detail::runsc_identity who{"/r", 1, 2, 3};
  (void)berth::detail::read_runsc_cache(text, who);
  // What is written reads back.
  const berth::runsc_texts texts{text, text, "", {{"run", text}}};
  const auto back = berth::detail::read_runsc_cache(berth::detail::write_runsc_cache(who, texts), who);
  if (size < (1u << 20) && (!back || back->flags != text || back->help != texts.help)) std::abort();
  return 0;
}
