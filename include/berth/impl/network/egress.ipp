// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/network/egress.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace berth {

namespace detail {

inline std::string_view egress_protocol_word(egress_protocol protocol) noexcept {
  switch (protocol) {
    case egress_protocol::any: break;
    case egress_protocol::tcp: return "tcp";
    case egress_protocol::udp: return "udp";
  }
  return "";
}

inline std::string egress_ports(const egress_rule& rule) {
  std::string text = std::to_string(rule.first_port);
  if (rule.last_port != rule.first_port) text += "-" + std::to_string(rule.last_port);
  return text;
}

inline std::string egress_address(const egress_rule& rule) {
  return rule.to.prefix == 32 ? format_ipv4(rule.to.address) : rule.to.to_string();
}

inline error bad_egress(std::string message, std::string hint = {}) {
  if (hint.empty()) hint = "write ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp], dns, all or none";
  return make_error(errc::invalid, "network", std::move(message), "egress", std::move(hint));
}

inline std::string shown_word(std::string_view word) {
  return "'" + std::string(word.substr(0, 64)) + (word.size() > 64 ? "…" : "") + "'";
}

/// "443" or "8000-8100".
inline bool read_egress_ports(std::string_view text, egress_rule& rule) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number<std::uint16_t>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return false;
  rule.first_port = *first;
  rule.last_port = *last;
  return true;
}

inline result<egress_rule> parse_egress_rule(std::string_view word) {
  const std::string shown = shown_word(word);
  if (word.empty()) return bad_egress("an egress rule is empty");
  if (word.find_first_of(", \t\n") != std::string_view::npos)
    return bad_egress("the egress rule " + shown + " is more than one", "give each rule by itself");
  if (word.find("://") != std::string_view::npos)
    return bad_egress("the egress rule " + shown + " is a URL",
                      "give the address and port of its host, as 192.0.2.7:443");
  egress_rule rule;
  std::string_view rest = word;
  const std::size_t slash = rest.rfind('/');
  if (const std::string_view tail = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
      !tail.empty() && (tail.front() < '0' || tail.front() > '9')) {
    if (tail == "tcp") rule.protocol = egress_protocol::tcp;
    else if (tail == "udp") rule.protocol = egress_protocol::udp;
    else
      return bad_egress("the protocol of the egress rule " + shown + " is neither tcp nor udp",
                        "a rule without protocol and port lets all protocols through, ICMP too");
    rest = rest.substr(0, slash);
  }
  const std::size_t colon = rest.find(':');
  if (rest.starts_with('[') || (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos))
    return bad_egress("the egress rule " + shown + " is of IPv6, which no sandbox has",
                      "leave it out: nothing goes out by IPv6 in any case");
  const std::string_view place = rest.substr(0, colon);
  const std::string_view address = place.substr(0, place.find('/'));
  if (address.find_first_not_of("0123456789.") != std::string_view::npos)
    return bad_egress(
        "the egress rule " + shown + " is a name; egress rules take addresses, names are not supported yet",
        "resolve it and give its addresses, as 192.0.2.7:443");
  if (colon != std::string_view::npos) {
    if (!read_egress_ports(rest.substr(colon + 1), rule))
      return bad_egress("the port of the egress rule " + shown + " is none from 1 to 65535, nor a range of them",
                        "write it as 10.1.2.3:443 or 10.1.2.3:8000-8100");
    if (rule.protocol == egress_protocol::any) rule.protocol = egress_protocol::tcp;
  }
  const auto ip = parse_ipv4(address);
  if (!ip) return bad_egress("the address of the egress rule " + shown + " is no IPv4 address");
  rule.to = {*ip, 32};
  if (place.size() == address.size()) return rule;
  const auto prefix = parse_number<int>(place.substr(address.size() + 1));
  if (!prefix || *prefix < 0 || *prefix > 32)
    return bad_egress("the prefix length of the egress rule " + shown + " is none from 0 to 32");
  rule.to.prefix = *prefix;
  const ipv4_subnet whole{*ip & rule.to.mask(), *prefix};
  if (whole.address != *ip)
    return bad_egress(
        "the egress rule " + shown + " has bits set behind its prefix length",
        "write " + whole.to_string() + " for the network, or " + format_ipv4(*ip) + " for the one address");
  return rule;
}

inline bool lies_within(const ipv4_subnet& inner, const ipv4_subnet& outer) {
  return inner.prefix >= outer.prefix && outer.contains(inner.address);
}

/// The rule's match of a packet. What comes back has the same in its source.
inline std::string egress_match(const egress_rule& rule, bool answer) {
  std::string text = std::string("ip ") + (answer ? "saddr " : "daddr ") + egress_address(rule);
  const std::string protocol(egress_protocol_word(rule.protocol));
  if (rule.first_port != 0) return text + " " + protocol + (answer ? " sport " : " dport ") + egress_ports(rule);
  if (!protocol.empty()) text += " meta l4proto " + protocol;
  return text;
}

BERTH_DECL std::string egress_base(std::string_view questions, std::string_view answers) {
  std::string text;
  text += "  counter " + std::string(refused_egress_counter) + " { }\n";
  text += "  set " + std::string(refused_places_set) + " {\n    type ipv4_addr . inet_proto . inet_service\n    size " +
          std::to_string(most_refused_places) + "\n    flags dynamic,timeout\n    timeout " +
          std::to_string(refused_places_kept.count()) + "h\n  }\n";
  const auto chain = [&text](std::string_view name, std::string_view rule) {
    text += "  chain " + std::string(name) + " {\n";
    if (!rule.empty()) text += "    " + std::string(rule) + "\n";
    text += "  }\n";
  };
  chain("questions", questions);
  chain("name_answers", answers);
  // Programs are told at once, and do not wait for a timeout. Not without limit: each answer is the host's work, and all of
  // its ICMP has one budget.
  text += "  chain refuse {\n";
  text += "    counter name " + std::string(refused_egress_counter) + "\n";
  text += "    meta l4proto { tcp, udp } update @" + std::string(refused_places_set) +
          " { ip daddr . meta l4proto . th dport counter }\n";  // in a full set: nothing
  text += "    limit rate over 200/second burst 200 packets drop\n";
  text += "    meta l4proto tcp reject with tcp reset\n";
  text += "    reject with icmp type admin-prohibited\n";
  text += "    drop\n";  // what is no IPv4: without a verdict it would go on where the policy was asked
  text += "  }\n";
  return text;
}

BERTH_DECL std::string egress_chains(const egress_policy& policy) {
  const bool closed = !policy.everything;
  std::string out, host, answers;
  if (closed) {
    // By the direction, which only a flow that others began has: a packet that connection tracking does not know, or calls
    // invalid, and one of a flow that was open before the policy was changed, are held to the rules.
    out += "    ct direction reply return\n";
    for (const egress_rule& rule : policy.allowed) {
      out += "    " + egress_match(rule, false) + " return\n";
      answers += "    " + egress_match(rule, true) + " return\n";
    }
    if (policy.names) {
      out += "    jump questions\n";
      host += "    jump questions\n";
      answers += "    jump name_answers\n";
    }
    out += "    goto refuse\n";
    host += "    goto refuse\n";
    // The other end of a connection that is cut hears of it too.
    answers += "    ct state related return\n    meta l4proto tcp reject with tcp reset\n    drop\n";
  }
  return "  chain egress {\n" + out + "  }\n  chain egress_host {\n" + host + "  }\n  chain egress_answers {\n" +
         answers + "  }\n";
}

}  // namespace detail

BERTH_DECL std::string egress_rule::to_string() const {
  std::string text = detail::egress_address(*this);
  if (first_port != 0) text += ":" + detail::egress_ports(*this);
  if (protocol != egress_protocol::any) text += "/" + std::string(detail::egress_protocol_word(protocol));
  return text;
}

BERTH_DECL std::vector<std::string> egress_policy::words() const {
  if (everything) return {"all"};
  std::vector<std::string> out;
  for (const egress_rule& rule : allowed) out.push_back(rule.to_string());
  if (names) out.emplace_back("dns");
  if (out.empty()) out.emplace_back("none");
  return out;
}

BERTH_DECL result<egress_policy> parse_egress(const std::vector<std::string>& words) {
  if (words.empty())
    return detail::bad_egress("there is no egress rule", "write none for no connection out, all for any");
  egress_policy policy = egress_policy::none();
  for (const std::string& word : words) {
    if (word == "all" || word == "none") {
      if (words.size() > 1)
        return detail::bad_egress("the egress rule '" + word + "' stands with others",
                                  "leave it out: what no rule names is refused anyway; or give it alone");
      policy.everything = word == "all";
      return policy;
    }
    if (word == "dns") {
      policy.names = true;
      continue;
    }
    auto rule = detail::parse_egress_rule(word);
    if (!rule) return std::move(rule).error();
    if (std::find(policy.allowed.begin(), policy.allowed.end(), *rule) == policy.allowed.end())
      policy.allowed.push_back(*rule);
  }
  return policy;
}

BERTH_DECL result<void> check_egress(const egress_policy& policy, const ipv4_subnet& pool) {
  if (policy.everything && (policy.names || !policy.allowed.empty()))
    return detail::bad_egress("an egress policy that allows everything has rules");
  if (policy.allowed.size() > most_egress_rules)
    return detail::bad_egress("there are more than " + std::to_string(most_egress_rules) + " egress rules",
                              "put addresses together to networks");
  constexpr ipv4_subnet loopback{0x7f000000, 8}, link_local{0xa9fe0000, 16};
  for (const egress_rule& rule : policy.allowed) {
    const std::string shown = detail::shown_word(rule.to_string());
    if (rule.to.prefix < 0 || rule.to.prefix > 32 || (rule.to.address & ~rule.to.mask()) != 0 ||
        rule.last_port < rule.first_port || (rule.first_port == 0 && rule.last_port != 0) ||
        (rule.first_port != 0 && rule.protocol == egress_protocol::any))
      return detail::bad_egress("the egress rule " + shown + " is none");
    if (detail::lies_within(rule.to, loopback))
      return detail::bad_egress("the egress rule " + shown + " is of loopback: the sandbox's own needs no rule",
                                "the host's is never reached from inside");
    if (detail::lies_within(rule.to, link_local))
      return detail::bad_egress("the egress rule " + shown + " is link-local, which no sandbox reaches",
                                "leave it out; for a name server there, write dns");
    if (detail::lies_within(rule.to, pool))
      return detail::bad_egress("the egress rule " + shown + " is of other sandboxes, which no sandbox reaches",
                                "leave it out: " + pool.to_string() + " is where sandboxes have their addresses");
  }
  return {};
}

namespace detail {

/// nft's "59m59s948ms", in whole seconds.
inline std::optional<std::chrono::seconds> parse_nft_duration(std::string_view text) {
  std::chrono::milliseconds sum{0};
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos) return std::nullopt;
    const auto n = parse_number<std::int32_t>(text.substr(0, digits));
    const std::size_t end = std::min(text.find_first_of("0123456789", digits), text.size());
    const std::string_view unit = text.substr(digits, end - digits);
    if (!n) return std::nullopt;
    if (unit == "d") sum += std::chrono::hours(24) * *n;
    else if (unit == "h") sum += std::chrono::hours(*n);
    else if (unit == "m") sum += std::chrono::minutes(*n);
    else if (unit == "s") sum += std::chrono::seconds(*n);
    else if (unit == "ms") sum += std::chrono::milliseconds(*n);
    else return std::nullopt;
    text.remove_prefix(end);
  }
  return std::chrono::duration_cast<std::chrono::seconds>(sum);
}

/// "192.0.2.7 . tcp . 443 counter packets 3 bytes 180 expires 59m59s948ms"
inline std::optional<refused_place> parse_refused_place(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string address, protocol, port, word;
  if (!(words >> address >> word >> protocol >> word >> port)) return std::nullopt;
  const auto ip = parse_ipv4(address);
  const auto number = parse_number<std::uint16_t>(port);
  if (!ip || !number || (protocol != "tcp" && protocol != "udp")) return std::nullopt;
  refused_place out;
  out.to = {{*ip, 32}, protocol == "tcp" ? egress_protocol::tcp : egress_protocol::udp, *number, *number};
  while (words >> word) {
    if (word == "packets" && words >> word) out.packets = parse_number<std::uint64_t>(word).value_or(0);
    if (word != "expires" || !(words >> word)) continue;
    if (const auto left = parse_nft_duration(word))
      out.ago = std::max(refused_places_kept - *left, std::chrono::seconds(0));
  }
  return out;
}

}  // namespace detail

BERTH_DECL std::vector<refused_place> parse_refused_places(std::string_view text) {
  constexpr std::string_view before = "elements = {";
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + before.size());
  text = text.substr(0, text.find('}'));
  std::vector<refused_place> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (auto place = detail::parse_refused_place(text.substr(0, comma))) out.push_back(std::move(*place));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const refused_place& a, const refused_place& b) { return a.ago < b.ago; });
  return out;
}

BERTH_DECL std::string nft_egress_change(std::string_view table, const egress_policy& policy) {
  const std::string name = "inet " + std::string(table);
  std::string text;
  for (const char* chain : {"egress", "egress_host", "egress_answers"})
    text += "flush chain " + name + " " + chain + "\n";
  return text + "table " + name + " {\n" + detail::egress_chains(policy) + "}\n";
}

}  // namespace berth
