#include "runsc_probe.hpp"

#include "loop.hpp"
#include "options.hpp"

#include <unistd.h>

namespace berth::cli {

result<runsc_binary> probe_runsc(const environment& where) {
  const runsc_runner run = [](const std::vector<std::string>& argv) -> result<std::string> {
    auto ran = run_tool(argv);
    if (!ran) return std::move(ran).error();
    if (!ran->status.success()) {
      error e = make_error(errc::runsc_failed, "runsc", argv.front() + " ended with " + ran->status.to_string());
      e.detail = ran->err;
      return e;
    }
    return ran->out + ran->err;
  };
  const bool ours = ::access(where.root.c_str(), W_OK) == 0;
  const std::string path = own_variable("PATH");
  return runsc_binary::probe(where.runsc, run, ours ? where.root + "/.cache" : std::string(),
                             path.empty() ? runsc_binary::default_search_path : std::string_view(path));
}

}  // namespace berth::cli
