// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/runsc/binary.ipp>
#include <berth/impl/runsc/probe_cache.ipp>
#include <berth/runsc/probe.hpp>

#include <cerrno>
#include <mutex>
#include <utility>

namespace berth {

struct runsc_probe::state {
  detail::runsc_identity who;
  std::string cache_dir;
  std::optional<runsc_binary> known;  // by a cache
  runsc_texts texts;
  // The words of each program, and where its answer goes. The verbs' follow once the list of verbs is there.
  std::vector<std::pair<std::vector<std::string>, std::string*>> questions;
  std::size_t asked = 0;

  void ask_verbs() {
    for (std::string_view verb : runsc_probed_verbs())
      if (detail::lists_verb(texts.verbs, verb))
        questions.push_back({{who.path, "help", std::string(verb)}, &texts.help[std::string(verb)]});
  }

  void keep(const runsc_binary& binary) const {
    detail::runsc_memory_cache& memory = detail::runsc_cache_in_memory();
    const std::lock_guard<std::mutex> guard(memory.lock);
    memory.entries.insert_or_assign(who.path, std::make_pair(who, binary));
  }
};

BERTH_DECL runsc_probe::runsc_probe(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
BERTH_DECL runsc_probe::runsc_probe(runsc_probe&&) noexcept = default;
BERTH_DECL runsc_probe& runsc_probe::operator=(runsc_probe&&) noexcept = default;
BERTH_DECL runsc_probe::~runsc_probe() = default;

BERTH_DECL result<runsc_probe> runsc_probe::begin(std::string_view name, std::string_view cache_dir,
                                                  std::string_view search_path) {
  auto path = find_runsc(name, search_path);
  if (!path) return std::move(path).error();
  auto who = detail::identify_runsc(*path);
  if (!who) return errno_error(errno, "runsc", "cannot look at the runsc binary", *path);
  auto made = std::make_unique<state>();
  made->who = *std::move(who);
  made->cache_dir = std::string(cache_dir);
  {
    detail::runsc_memory_cache& memory = detail::runsc_cache_in_memory();
    const std::lock_guard<std::mutex> guard(memory.lock);
    const auto known = memory.entries.find(*path);
    if (known != memory.entries.end() && known->second.first == made->who) made->known = known->second.second;
  }
  if (!made->known && !cache_dir.empty()) {
    if (const auto texts = detail::load_runsc_cache(cache_dir, made->who)) {
      if (auto binary = runsc_binary::from_text(*path, *texts)) {
        made->keep(*binary);
        made->known = *std::move(binary);
      }
    }
  }
  if (!made->known)
    made->questions = {{{*path, "--version"}, &made->texts.version},
                       {{*path, "flags"}, &made->texts.flags},
                       {{*path, "help"}, &made->texts.verbs}};
  return runsc_probe(std::move(made));
}

BERTH_DECL std::optional<std::vector<std::string>> runsc_probe::next() const {
  if (state_->asked >= state_->questions.size()) return std::nullopt;
  return state_->questions[state_->asked].first;
}

BERTH_DECL result<void> runsc_probe::answer(result<std::string> printed) {
  state& s = *state_;
  if (s.asked >= s.questions.size())
    return make_error(errc::state, "runsc", "an answer to nothing that was asked", s.who.path);
  const auto& [words, place] = s.questions[s.asked];
  if (!printed) {
    error why = std::move(printed).error();
    const bool kept = why.code == errc::no_memory || why.code == errc::cancelled || why.code == errc::timeout;
    if (!kept) why.code = errc::runsc_failed;
    why.path = s.who.path;
    if (why.hint.empty()) why.hint = "run `runsc " + words.back() + "` by hand to see what is wrong";
    return why;
  }
  *place = *std::move(printed);
  const bool verbs_known = place == &s.texts.verbs;
  ++s.asked;
  if (verbs_known) s.ask_verbs();
  return {};
}

BERTH_DECL result<runsc_binary> runsc_probe::finish() {
  state& s = *state_;
  if (s.known) return *s.known;
  if (next()) return make_error(errc::state, "runsc", "not all that has to be asked was answered", s.who.path);
  auto binary = runsc_binary::from_text(s.who.path, s.texts);
  if (!binary) return binary;
  // Not kept when the file was replaced meanwhile: the answers could be of two binaries.
  if (detail::identify_runsc(s.who.path) == s.who) {
    s.keep(*binary);
    if (!s.cache_dir.empty()) detail::store_runsc_cache(s.cache_dir, s.who, s.texts);
  }
  return binary;
}

BERTH_DECL result<runsc_binary> probe_runsc(std::string_view name, const runsc_runner& run, std::string_view cache_dir,
                                            std::string_view search_path) {
  auto asking = runsc_probe::begin(name, cache_dir, search_path);
  if (!asking) return std::move(asking).error();
  while (const auto argv = asking->next()) {
    if (!run)
      return make_error(errc::invalid, "runsc", "the binary was never probed, and no runner was given", argv->front());
    BERTH_TRY(asking->answer(run(*argv)));
  }
  return asking->finish();
}

}  // namespace berth
