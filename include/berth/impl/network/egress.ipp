// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/impl/network/egress_name.ipp>
#include <berth/network/egress.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace berth {

namespace detail {

inline std::string egress_address(const egress_rule& rule) {
  return rule.to.prefix == 32 ? format_ipv4(rule.to.address) : rule.to.to_string();
}

inline error bad_egress(std::string message, std::string hint = {}) {
  if (hint.empty())
    hint = "write ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp], NAME or *.NAME in place of the address, dns, all or none";
  return make_error(errc::invalid, "network", std::move(message), "egress", std::move(hint));
}

inline std::string shown_word(std::string_view word) {
  return "'" + std::string(word.substr(0, 64)) + (word.size() > 64 ? "…" : "") + "'";
}

/// "443" or "8000-8100".
template <class Rule>
bool read_egress_ports(std::string_view text, Rule& rule) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number<std::uint16_t>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return false;
  rule.first_port = *first;
  rule.last_port = *last;
  return true;
}

/// A rule's word, taken apart.
struct egress_word {
  std::string shown;
  std::string_view place;  // address with prefix, or name
  egress_protocol protocol = egress_protocol::any;
  std::uint16_t first_port = 0, last_port = 0;
};

inline result<egress_word> take_apart(std::string_view word) {
  const std::string shown = shown_word(word);
  if (word.empty()) return bad_egress("an egress rule is empty");
  if (word.find_first_of(", \t\n") != std::string_view::npos)
    return bad_egress("the egress rule " + shown + " is more than one", "give each rule by itself");
  if (word.find("://") != std::string_view::npos)
    return bad_egress("the egress rule " + shown + " is a URL",
                      "give the name or address of its host and the port, as example.com:443");
  egress_word out;
  out.shown = shown;
  std::string_view rest = word;
  const std::size_t slash = rest.rfind('/');
  if (const std::string_view tail = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
      !tail.empty() && (tail.front() < '0' || tail.front() > '9')) {
    if (tail == "tcp") out.protocol = egress_protocol::tcp;
    else if (tail == "udp") out.protocol = egress_protocol::udp;
    else
      return bad_egress("the protocol of the egress rule " + shown + " is neither tcp nor udp",
                        "a rule without protocol and port lets all protocols through, ICMP too");
    rest = rest.substr(0, slash);
  }
  const std::size_t colon = rest.find(':');
  if (rest.starts_with('[') || (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos))
    return bad_egress("the egress rule " + shown + " is of IPv6, which no sandbox has",
                      "leave it out: nothing goes out by IPv6 in any case");
  out.place = rest.substr(0, colon);
  if (colon != std::string_view::npos) {
    if (!read_egress_ports(rest.substr(colon + 1), out))
      return bad_egress("the port of the egress rule " + shown + " is none from 1 to 65535, nor a range of them",
                        "write it as 10.1.2.3:443 or 10.1.2.3:8000-8100");
    if (out.protocol == egress_protocol::any) out.protocol = egress_protocol::tcp;
  }
  return out;
}

inline bool is_egress_name(std::string_view place) {
  return place.substr(0, place.find('/')).find_first_not_of("0123456789.") != std::string_view::npos;
}

inline result<egress_rule> read_egress_address(const egress_word& word) {
  const std::string_view address = word.place.substr(0, word.place.find('/'));
  const auto ip = parse_ipv4(address);
  if (!ip) return bad_egress("the address of the egress rule " + word.shown + " is no IPv4 address");
  egress_rule rule{{*ip, 32}, word.protocol, word.first_port, word.last_port};
  if (word.place.size() == address.size()) return rule;
  const auto prefix = parse_number<int>(word.place.substr(address.size() + 1));
  if (!prefix || *prefix < 0 || *prefix > 32)
    return bad_egress("the prefix length of the egress rule " + word.shown + " is none from 0 to 32");
  rule.to.prefix = *prefix;
  const ipv4_subnet whole{*ip & rule.to.mask(), *prefix};
  if (whole.address != *ip)
    return bad_egress(
        "the egress rule " + word.shown + " has bits set behind its prefix length",
        "write " + whole.to_string() + " for the network, or " + format_ipv4(*ip) + " for the one address");
  return rule;
}

inline result<egress_name> read_egress_name(const egress_word& word) {
  egress_name rule{std::string(word.place), false, word.protocol, word.first_port, word.last_port};
  if (rule.name.find('/') != std::string::npos)
    return bad_egress("the egress rule " + word.shown + " has a prefix length behind a name",
                      "names have none; write *.example.com for all names below one");
  for (char& c : rule.name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  rule.below = rule.name.starts_with("*.");
  if (rule.below) rule.name.erase(0, 2);
  if (rule.name.ends_with('.')) rule.name.pop_back();
  if (rule.name.find('*') != std::string::npos)
    return bad_egress("the egress rule " + word.shown + " has a * that does not stand for all names below one",
                      "write *.example.com; all is for everything");
  const std::string_view wrong = wrong_name(rule.name);
  if (wrong.empty()) return rule;
  const bool foreign = wrong == "is not in ASCII";
  return bad_egress("the name of the egress rule " + word.shown + " " + std::string(wrong),
                    foreign ? "write it in punycode, as xn--mnchen-3ya.example"
                            : "write a whole name, as example.com:443, an address, dns, all or none");
}

inline bool lies_within(const ipv4_subnet& inner, const ipv4_subnet& outer) {
  return inner.prefix >= outer.prefix && outer.contains(inner.address);
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

/// How long an address stays open for what was begun to it and is quiet: as long as connection tracking keeps such a flow.
inline constexpr std::string_view quiet_flow_time = "5d";

inline std::string egress_sets(const egress_name& rule) {
  const std::string head = " {\n    type ipv4_addr\n    size ";
  return "  set " + rule.fresh_set() + head + std::to_string(most_name_addresses) + "\n    flags timeout\n  }\n" +
         "  set " + rule.open_set() + head + "65535\n    flags dynamic,timeout\n    timeout " +
         std::string(quiet_flow_time) + "\n  }\n";
}

/// Filled by whoever answers the sandbox's questions.
inline std::string resolver_objects() {
  return "  map " + std::string(resolver_map) + " {\n    type inet_service : inet_service\n    size 1\n  }\n  set " +
         std::string(resolver_port_set) + " {\n    type inet_service\n    size 1\n  }\n";
}

BERTH_DECL std::string egress_chains(const egress_policy& policy, std::string_view link) {
  std::string sets, out, open, host, answers, asking;
  if (!policy.everything) {
    // By the direction, which only a flow that others began has: a packet that connection tracking does not know, or calls
    // invalid, and one of a flow that was open before the policy was changed, are held to the rules.
    out += "    ct direction reply return\n";
    for (const egress_rule& rule : policy.allowed) {
      out += "    " + egress_match(rule, egress_address(rule), false) + " return\n";
      answers += "    " + egress_match(rule, egress_address(rule), true) + " return\n";
    }
    for (const egress_name& rule : policy.named) {
      sets += egress_sets(rule);
      // What a connection is begun to stays open for it when the name has other addresses by then.
      const std::string keep = " update @" + rule.open_set() + " { ip daddr } return\n";
      out += "    " + egress_match(rule, "@" + rule.fresh_set(), false) + keep;
      open += "    " + egress_match(rule, "@" + rule.open_set(), false) + keep;
      answers += "    " + egress_match(rule, "@" + rule.open_set(), true) + " return\n";
    }
    if (!policy.named.empty()) {
      // Whatever server is asked, also by who has its address built in: who answers says what may be reached.
      asking += "    iifname \"" + std::string(link) +
                "\" meta l4proto { tcp, udp } th dport 53 redirect to :th dport map @" + std::string(resolver_map) +
                "\n";
      host +=
          "    ct status dnat meta l4proto { tcp, udp } th dport @" + std::string(resolver_port_set) + " goto opened\n";
      out += "    ct status & confirmed != 0 goto egress_open\n";
      out += "    ct state invalid goto egress_open\n";
    } else if (policy.names) {
      out += "    jump questions\n";
      host += "    jump questions\n";
      answers += "    jump name_answers\n";
    }
    out += "    goto refuse\n";
    open += "    goto refuse\n";
    host += "    goto refuse\n";
    // The other end of a connection that is cut hears of it too.
    answers += "    ct state related return\n    meta l4proto tcp reject with tcp reset\n    drop\n";
  }
  return resolver_objects() + sets + "  chain egress_open {\n" + open + "  }\n  chain egress {\n" + out +
         "  }\n  chain egress_host {\n" + host + "  }\n  chain egress_answers {\n" + answers +
         "  }\n  chain asking {\n    type nat hook prerouting priority dstnat - 1; policy accept;\n" + asking + "  }\n";
}

}  // namespace detail

BERTH_DECL std::string egress_rule::to_string() const {
  return detail::egress_address(*this) + detail::egress_ports(*this);
}

BERTH_DECL std::vector<std::string> egress_policy::words() const {
  if (everything) return {"all"};
  std::vector<std::string> out;
  for (const egress_rule& rule : allowed) out.push_back(rule.to_string());
  for (const egress_name& rule : named) out.push_back(rule.to_string());
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
    auto parts = detail::take_apart(word);
    if (!parts) return std::move(parts).error();
    const auto keep = [](auto&& rule, auto& all) -> result<void> {
      if (!rule) return std::move(rule).error();
      if (std::find(all.begin(), all.end(), *rule) == all.end()) all.push_back(std::move(*rule));
      return {};
    };
    if (detail::is_egress_name(parts->place)) BERTH_TRY(keep(detail::read_egress_name(*parts), policy.named));
    else BERTH_TRY(keep(detail::read_egress_address(*parts), policy.allowed));
  }
  return policy;
}

BERTH_DECL result<void> check_egress(const egress_policy& policy, const ipv4_subnet& pool) {
  if (policy.everything && (policy.names || !policy.allowed.empty() || !policy.named.empty()))
    return detail::bad_egress("an egress policy that allows everything has rules");
  if (policy.allowed.size() + policy.named.size() > most_egress_rules)
    return detail::bad_egress("there are more than " + std::to_string(most_egress_rules) + " egress rules",
                              "put addresses together to networks");
  for (const egress_name& rule : policy.named)
    if (!detail::wrong_name(rule.name).empty() || !detail::has_egress_ports(rule))
      return detail::bad_egress("the egress rule " + detail::shown_word(rule.to_string()) + " is none");
  constexpr ipv4_subnet loopback{0x7f000000, 8}, link_local{0xa9fe0000, 16};
  for (const egress_rule& rule : policy.allowed) {
    const std::string shown = detail::shown_word(rule.to_string());
    if (rule.to.prefix < 0 || rule.to.prefix > 32 || (rule.to.address & ~rule.to.mask()) != 0 ||
        !detail::has_egress_ports(rule))
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

BERTH_DECL std::vector<refused_place> parse_refused_places(std::string_view table) {
  std::vector<refused_place> out;
  for (const std::string_view element : detail::nft_elements_of(table, refused_places_set))
    if (auto place = detail::parse_refused_place(element)) out.push_back(std::move(*place));
  std::stable_sort(out.begin(), out.end(),
                   [](const refused_place& a, const refused_place& b) { return a.ago < b.ago; });
  return out;
}

BERTH_DECL std::string nft_egress_change(std::string_view table, std::string_view link, const egress_policy& policy,
                                         const egress_policy& before) {
  const std::string name = "inet " + std::string(table);
  // Declared first, here and below: what is to be flushed or deleted may not be there, in the table of an earlier berth or
  // after a change that was broken off.
  std::string text = "table " + name + " {\n";
  std::string flushed, gone;
  for (const char* chain : {"asking", "egress", "egress_open", "egress_host", "egress_answers"})
    flushed += "flush chain " + name + " " + chain + "\n";
  for (const egress_name& rule : before.named) {
    if (std::find(policy.named.begin(), policy.named.end(), rule) != policy.named.end()) continue;
    text += detail::egress_sets(rule);
    for (const std::string& set : {rule.fresh_set(), rule.open_set()}) gone += "delete set " + name + " " + set + "\n";
  }
  text +=
      "  chain egress_open {\n  }\n  chain asking {\n    type nat hook prerouting priority dstnat - 1; policy accept;\n  }\n";
  text += "}\n" + flushed;
  return text + "table " + name + " {\n" + detail::egress_chains(policy, link) + "}\n" + gone;
}

}  // namespace berth
