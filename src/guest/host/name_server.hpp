// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/event_loop.hpp"
#include "name_exchange.hpp"
#include "nft_elements.hpp"

#include <berth/sandbox/record.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

class name_client;

/// Answers the questions of one sandbox, on its link's end on the host, where its rules redirect them to.
class name_server : public std::enable_shared_from_this<name_server> {
 public:
  name_server(event_loop& loop, nft_elements& elements) : loop_(loop), elements_(elements) {}

  /// The record that holds from now on. Listens where it does not yet.
  void serve(sandbox_record record);
  /// Why it does not listen; empty where it does.
  const std::string& obstacle() const { return obstacle_; }
  const sandbox_record& record() const { return record_; }
  std::vector<refused_name> refused() const;
  /// Gives up what has waited for too long; false where nothing waits.
  bool look_at_time(time_point now);
  void stop();

  using reply = std::function<void(std::string answer)>;
  /// Gives the answer to `reply`, at once or later; none to what is no question.
  void ask(std::string_view message, reply answer);
  void leave(const std::shared_ptr<name_client>& client) { clients_.erase(client); }

 private:
  bool listen();
  void receive();
  void accept();
  bool may_ask();
  void refuse(const std::string& name);
  void forward(dns_question question, std::vector<egress_name> by, reply answer);
  std::string answer_of(const dns_question& question, const std::string& message, const std::vector<egress_name>& by);

  event_loop& loop_;
  nft_elements& elements_;
  sandbox_record record_;
  std::string obstacle_ = "it has not begun";
  unique_fd datagrams_, listener_;
  std::set<std::shared_ptr<name_client>> clients_;
  std::map<std::uint64_t, std::shared_ptr<name_exchange>> exchanges_;
  std::uint64_t next_ = 0;
  double tokens_ = 0;
  time_point tokens_at_{};
  struct seen {
    std::uint64_t questions = 0;
    time_point last{};
  };
  std::map<std::string, seen> refused_;
};

}  // namespace berth::guest
