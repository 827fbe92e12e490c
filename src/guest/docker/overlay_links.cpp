// SPDX-License-Identifier: Apache-2.0
#include "overlay_links.hpp"

#include "base/complain.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace berth::guest {
namespace {

constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t most_short = letters.size() * letters.size();
constexpr std::size_t short_length = 2;

std::string short_name(std::size_t n) { return {letters[n / letters.size()], letters[n % letters.size()]}; }

std::size_t count_of(std::string_view lower) {
  return lower.empty() ? 0 : static_cast<std::size_t>(std::count(lower.begin(), lower.end(), ':')) + 1;
}

/// "../LAYER/diff"
std::string_view layer_in(std::string_view target) {
  constexpr std::string_view before = "../", after = "/diff";
  if (!target.starts_with(before) || !target.ends_with(after) || target.size() <= before.size() + after.size())
    return {};
  target.remove_prefix(before.size());
  target.remove_suffix(after.size());
  return target.find('/') == std::string_view::npos && target != ".." ? target : std::string_view();
}

}  // namespace

bool overlay_links::scan() {
  layers_.clear();
  short_.clear();
  unsettled_.clear();
  const std::unique_ptr<DIR, int (*)(DIR*)> links(::opendir(directory().c_str()), &::closedir);
  if (!links) return false;
  std::vector<std::string> ours;
  while (const dirent* const entry = ::readdir(links.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (name.size() == short_length) ours.emplace_back(name);
    else added(name);
  }
  for (const std::string& link : ours) {
    std::string layer = layer_of(link);
    if (layer.empty()) continue;  // not ours
    if (!unsettled_.contains(layer)) (void)::unlink((directory() + "/" + link).c_str());
    else short_.emplace(std::move(layer), link);
  }
  return true;
}

void overlay_links::added(std::string_view link) {
  if (link.size() == short_length) return;
  std::string layer = layer_of(link);
  struct stat info {};
  if (layer.empty() || ::stat((store_ + "/" + layer).c_str(), &info) != 0) return;
  unsettled_.insert(layer);
  layers_.insert_or_assign(std::string(link), std::move(layer));
}

void overlay_links::removed(std::string_view link) {
  const auto gone = layers_.find(std::string(link));
  if (gone == layers_.end()) return;
  if (const auto ours = short_.find(gone->second); ours != short_.end()) {
    (void)::unlink((directory() + "/" + ours->second).c_str());
    short_.erase(ours);
  }
  unsettled_.erase(gone->second);
  layers_.erase(gone);
}

bool overlay_links::settle() {
  std::erase_if(unsettled_, [this](const std::string& layer) { return shorten(layer); });
  return unsettled_.empty();
}

std::string overlay_links::layer_of(std::string_view link) const {
  char target[PATH_MAX];
  const ssize_t n = ::readlink((directory() + "/" + std::string(link)).c_str(), target, sizeof target);
  return n > 0 ? std::string(layer_in({target, static_cast<std::size_t>(n)})) : std::string();
}

std::string overlay_links::lower_of(const std::string& layer) const {
  auto lower = read_file(store_ + "/" + layer + "/lower", 1u << 16, "layers");
  return lower ? std::move(*lower) : std::string();
}

bool overlay_links::shorten(const std::string& layer) {
  const std::string lower = lower_of(layer);
  if (lower.empty()) return false;
  if (count_of(lower) <= few) return true;
  std::string edited;
  bool changed = false;
  for (std::string_view rest = lower; !rest.empty();) {
    const std::string_view entry = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    if (!entry.starts_with("l/")) return true;  // of a Docker that is not known
    const std::string_view link = entry.substr(2);
    const bool first = edited.empty();
    if (!first) edited += ':';
    if (link.size() == short_length && !first) {
      edited += entry;
      continue;
    }
    std::string below = layer_of(link);
    if (below.empty()) return true;
    // dockerd may be writing it: it holds the layer below, and all that this one lies on.
    if (first && count_of(lower_of(below)) + 1 != count_of(lower)) return false;
    std::string ours = link.size() == short_length ? std::string(link) : short_link(below);
    if (ours.empty()) return true;
    changed = changed || ours != link;
    edited += "l/" + ours;
  }
  if (!changed) return true;
  if (auto written = replace_file(store_ + "/" + layer + "/lower", edited, 0644, "layers"); !written)
    complain("an image of many layers: " + written.error().to_string());
  return true;
}

std::string overlay_links::short_link(const std::string& layer) {
  if (const auto known = short_.find(layer); known != short_.end()) return known->second;
  for (; next_ < most_short; ++next_) {
    const std::string link = short_name(next_);
    if (::symlink(("../" + layer + "/diff").c_str(), (directory() + "/" + link).c_str()) == 0) {
      ++next_;
      short_.emplace(layer, link);
      return link;
    }
    if (errno != EEXIST) break;
  }
  return {};
}

}  // namespace berth::guest
