// SPDX-License-Identifier: Apache-2.0
#include "name_server.hpp"

#include "name_client.hpp"

#include <berth/sandbox/name_service.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace berth::guest {
namespace {

constexpr std::uint16_t dns_port = 53;
constexpr std::uint16_t type_aaaa = 28, type_svcb = 64, type_https = 65;
constexpr std::uint16_t first_meta_type = 249;  // TKEY, TSIG, IXFR, AXFR, …, ANY
constexpr std::uint16_t last_meta_type = 255;
// What one sandbox may ask: more is answered by a failure at once. Each question is an entry in the host's connection tracking
// for 30 s, so these are fewer than a sandbox may have of its own (default_max_connections).
constexpr std::size_t most_exchanges = 128, most_clients = 16;
constexpr double questions_a_second = 100, questions_at_once = 500;

// Nobody has these: a name that does is out to reach something else.
bool is_for_a_rule(std::uint32_t address) {
  return address >> 24 != 0 && address >> 24 != 127 && address >> 16 != 0xa9fe && address >> 28 < 14;
}

std::string words(int error, const char* what) { return std::string(what) + ": " + std::strerror(error); }

}  // namespace

void name_server::serve(sandbox_record record) {
  record_ = std::move(record);
  if (datagrams_) return;
  if (listen()) return;
  if (datagrams_) loop_.forget(datagrams_.get());
  datagrams_.reset();
  listener_.reset();
}

bool name_server::listen() {
  const network_names names = record_.names();
  const auto gateway = parse_ipv4(record_.net->gateway());
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(*gateway);
  // Of this link alone: what else comes to the address is not the sandbox's.
  const auto open = [&](int kind) {
    unique_fd made(::socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made && ::setsockopt(made.get(), SOL_SOCKET, SO_BINDTODEVICE, names.link.data(),
                             static_cast<socklen_t>(names.link.size())) != 0)
      made.reset();
    if (made && ::bind(made.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) made.reset();
    return made;
  };
  // Any port that is free for both: the host may have a name server of its own at 53.
  for (int attempt = 0; attempt < 16 && !listener_; ++attempt) {
    place.sin_port = 0;
    datagrams_ = open(SOCK_DGRAM);
    socklen_t size = sizeof place;
    if (!datagrams_ || ::getsockname(datagrams_.get(), reinterpret_cast<sockaddr*>(&place), &size) != 0) break;
    listener_ = open(SOCK_STREAM);
    if (!listener_ && errno != EADDRINUSE) break;
  }
  if (!listener_ || ::listen(listener_.get(), static_cast<int>(most_clients)) != 0) {
    obstacle_ = words(errno, "cannot listen on its link");
    return false;
  }
  if (const int failed =
          elements_.set_port(names.table, resolver_map, dns_port, resolver_port_set, ntohs(place.sin_port))) {
    obstacle_ = words(failed, "cannot change its firewall rules");
    return false;
  }
  const auto self = shared_from_this();
  if (!loop_.watch(datagrams_.get(), EPOLLIN, [self](std::uint32_t) { self->receive(); }) ||
      !loop_.watch(listener_.get(), EPOLLIN, [self](std::uint32_t) { self->accept(); })) {
    obstacle_ = "cannot wait for its questions";
    return false;
  }
  obstacle_.clear();
  return true;
}

void name_server::stop() {
  for (const unique_fd* one : {&datagrams_, &listener_})
    if (*one) loop_.forget(one->get());
  datagrams_.reset();
  listener_.reset();
  for (const auto& client : std::exchange(clients_, {})) client->stop();
  for (const auto& [number, exchange] : std::exchange(exchanges_, {})) exchange->stop();
}

void name_server::receive() {
  char buffer[dns_datagram];
  // Some at a time: other sandboxes have questions too.
  for (int i = 0; i < 32 && datagrams_; ++i) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(datagrams_.get(), buffer, sizeof buffer, MSG_TRUNC, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    if (static_cast<std::size_t>(n) > sizeof buffer) continue;
    const std::string_view message(buffer, static_cast<std::size_t>(n));
    ask(message, [weak = weak_from_this(), from, question = read_question(message)](const std::string& answer) {
      const auto self = weak.lock();
      if (!self || !self->datagrams_ || answer.empty()) return;
      const std::string sent = answer.size() > dns_datagram && question ? write_truncated(*question) : answer;
      (void)::sendto(self->datagrams_.get(), sent.data(), sent.size(), MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&from), sizeof from);
    });
  }
}

void name_server::accept() {
  while (listener_) {
    unique_fd made(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!made) return;
    if (clients_.size() == most_clients) continue;
    const auto client = std::make_shared<name_client>(loop_, weak_from_this(), std::move(made));
    if (client->start()) clients_.insert(client);
  }
}

bool name_server::may_ask() {
  const time_point now = clock::now();
  const double since = std::chrono::duration<double>(now - tokens_at_).count();
  tokens_ = std::min(questions_at_once, tokens_ + since * questions_a_second);
  tokens_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void name_server::ask(std::string_view message, reply answer) {
  auto question = read_question(message);
  if (!question) return answer(answer_to_nonsense(message));
  if (!may_ask()) return answer(write_answer(*question, dns_code::server_failure));
  const egress_policy& policy = *record_.net->egress;
  std::vector<egress_name> by;
  for (const egress_name& rule : policy.named)
    if (rule.matches(question->name)) by.push_back(rule);
  if (by.empty() && !policy.names) {
    refuse(question->name);
    // And no REFUSED: programs ask again then, or wait until they have waited long enough.
    return answer(write_answer(*question, dns_code::no_such_name));
  }
  // IPv6 is what no sandbox has; and these have addresses in them that nobody opens.
  if (question->type == type_aaaa || question->type == type_svcb || question->type == type_https)
    return answer(write_answer(*question, dns_code::no_error));
  if (question->type >= first_meta_type && question->type <= last_meta_type)
    return answer(write_answer(*question, dns_code::not_implemented));
  if (exchanges_.size() >= most_exchanges) return answer(write_answer(*question, dns_code::server_failure));
  forward(std::move(*question), std::move(by), std::move(answer));
}

void name_server::forward(dns_question question, std::vector<egress_name> by, reply answer) {
  std::vector<std::uint32_t> servers;
  for (const std::string& server : record_.net->nameservers)
    if (const auto ip = parse_ipv4(server)) servers.push_back(*ip);
  const std::uint64_t number = ++next_;
  auto done = [weak = weak_from_this(), number, question, by = std::move(by),
               answer = std::move(answer)](const std::string& message) {
    const auto self = weak.lock();
    if (!self) return;
    self->exchanges_.erase(number);
    answer(self->answer_of(question, message, by));
  };
  const auto exchange =
      std::make_shared<name_exchange>(loop_, std::move(servers), std::move(question), std::move(done));
  exchanges_.emplace(number, exchange);
  exchange->start();
}

// What the rules are to let through is there before the sandbox can know of it.
std::string name_server::answer_of(const dns_question& question, const std::string& message,
                                   const std::vector<egress_name>& by) {
  const std::string failed = write_answer(question, dns_code::server_failure);
  if (message.empty()) return failed;
  if (question.type != dns_type_a) return pass_on(message, question);
  auto found = read_found(message, question);
  if (!found) return failed;
  constexpr auto longest = static_cast<std::uint32_t>(longest_name_time.count());
  constexpr auto shortest = static_cast<std::uint32_t>(shortest_name_time.count());
  found->seconds = std::min(found->seconds, longest);
  std::vector<std::uint32_t> addresses;
  std::copy_if(found->addresses.begin(), found->addresses.end(), std::back_inserter(addresses), is_for_a_rule);
  std::vector<std::string> sets;
  for (const egress_name& rule : by) sets.push_back(rule.fresh_set());
  const std::uint32_t open = std::max(found->seconds + found->seconds / 8, shortest);
  if (elements_.add_addresses(record_.names().table, sets, addresses, open, question.name) != 0) return failed;
  return write_answer(question, code_of(message), *found);
}

void name_server::refuse(const std::string& name) {
  const time_point now = clock::now();
  if (refused_.size() >= most_refused_names && !refused_.contains(name))
    refused_.erase(std::min_element(refused_.begin(), refused_.end(),
                                    [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
  seen& one = refused_[name.empty() ? "." : name];
  ++one.questions;
  one.last = now;
}

std::vector<refused_name> name_server::refused() const {
  std::vector<refused_name> out;
  const time_point now = clock::now();
  for (const auto& [name, one] : refused_)
    out.push_back({name, one.questions, std::chrono::duration_cast<std::chrono::seconds>(now - one.last)});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.ago < b.ago; });
  return out;
}

bool name_server::look_at_time(time_point now) {
  // Copies: what is over leaves.
  for (const auto& client : std::set(clients_))
    if (client->is_over(now)) {
      client->stop();
      clients_.erase(client);
    }
  for (const auto& [number, exchange] : std::map(exchanges_)) exchange->look_at_time(now);
  return !clients_.empty() || !exchanges_.empty();
}

}  // namespace berth::guest
