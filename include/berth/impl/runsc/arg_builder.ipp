// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/runsc/binary.hpp>
#include <berth/runsc/globals.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::detail {

/// Builds one command line, option by option; keeps the first error and then does nothing more.
class runsc_arg_builder {
 public:
  explicit runsc_arg_builder(const runsc_binary& binary) : binary_(binary) { argv_.push_back(binary.path()); }

  /// From here on the options are the verb's.
  void verb(std::string_view name) {
    if (error_) return;
    if (auto there = binary_.require(name, {}); !there) return fail(std::move(there).error());
    verb_ = name;
    emitted_.clear();
    argv_.emplace_back(name);
  }

  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) emit(name, value);
  }

  /// An absolute path.
  void path(std::string_view name, std::string_view value, bool required = false) {
    if (value.empty()) {
      if (required) fail(invalid(option(name) + " is needed", {}));
      return;
    }
    if (value.front() != '/') return fail(invalid(option(name) + " takes an absolute path", std::string(value)));
    emit(name, value);
  }

  /// A switch that is off unless it is given.
  void on(std::string_view name, bool value) {
    if (value) emit(name, {}, false);
  }

  /// A switch with a default of runsc's.
  void maybe(std::string_view name, std::optional<bool> value) {
    if (value) *value ? emit(name, {}, false) : emit(name, "false");
  }

  template <class Number>
  void number(std::string_view name, std::optional<Number> value) {
    if (value) emit(name, std::to_string(*value));
  }

  void each(std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) emit(name, value);
  }

  void emit(std::string_view name, std::string_view value, bool with_value = true) {
    if (error_) return;
    if (value.find('\0') != std::string_view::npos) return fail(invalid("a NUL in " + option(name), {}));
    if (auto there = binary_.require(verb_, name); !there) return fail(std::move(there).error());
    // Some options changed from a value to a switch: the word behind it would be taken for the value.
    if (!with_value && takes_value(binary_.find(verb_, name)->value)) return fail(binary_.lacking(verb_, name));
    emitted_.emplace_back(name);
    std::string word = "--" + std::string(name);
    if (with_value) word.append("=").append(value);
    argv_.push_back(std::move(word));
  }

  /// The caller's own options: "--name" or "--name=value". Checked against the binary like ours; one that we gave already
  /// is refused, since with runsc the last one silently wins.
  void extra(const std::vector<std::string>& args) {
    const std::vector<std::string> ours = emitted_;
    for (const std::string& arg : args) {
      const std::size_t dashes = arg.substr(0, 2) == "--" ? 2 : arg.substr(0, 1) == "-" ? 1 : 0;
      const std::size_t equals = std::min(arg.find('='), arg.size());
      if (dashes == 0 || equals <= dashes)
        return fail(invalid("an extra argument must be one option: --name or --name=value", arg));
      const std::string name = arg.substr(dashes, equals - dashes);
      if (std::find(ours.begin(), ours.end(), name) != ours.end())
        return fail(invalid("the extra argument repeats an option that is set already", arg));
      if (equals == arg.size()) {
        const runsc_flag* const known = binary_.find(verb_, name);
        if (known != nullptr && takes_value(known->value))
          return fail(invalid("an extra argument needs its value: --name=value", arg));
        emit(name, {}, false);
      } else {
        emit(name, std::string_view(arg).substr(equals + 1));
      }
    }
  }

  /// A word that is no option.
  void word(std::string_view value) {
    if (error_) return;
    if (value.find('\0') != std::string_view::npos) return fail(invalid("a NUL in an argument", {}));
    argv_.emplace_back(value);
  }

  void fail(error why) {
    if (!error_) error_ = std::move(why);
  }

  error invalid(std::string message, std::string what) const {
    return make_error(errc::invalid, "runsc", std::move(message), std::move(what));
  }

  const runsc_binary& binary() const noexcept { return binary_; }

  result<runsc_argv> take() && {
    if (error_) return *std::move(error_);
    return std::move(argv_);
  }

 private:
  /// Go's own kinds. Another text is a word out of the usage, which switches have too ("-net-raw runsc exec").
  static bool takes_value(std::string_view kind) {
    return kind == "string" || kind == "int" || kind == "uint" || kind == "float" || kind == "duration";
  }

  std::string option(std::string_view name) const { return (verb_.empty() ? "--" : verb_ + " --") + std::string(name); }

  const runsc_binary& binary_;
  std::string verb_;
  std::vector<std::string> argv_;
  std::vector<std::string> emitted_;
  std::optional<error> error_;
};

}  // namespace berth::detail
