// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/token.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/spec/json.hpp>

#include <cerrno>

namespace berth {

BERTH_DECL std::string_view network_mode_name(network_mode mode) noexcept {
  switch (mode) {
    case network_mode::sandbox: return "sandbox";
    case network_mode::none: return "none";
    case network_mode::path: return "path";
  }
  return "";
}

BERTH_DECL std::string_view record_phase_name(record_phase phase) noexcept {
  switch (phase) {
    case record_phase::creating: return "creating";
    case record_phase::running: return "running";
    case record_phase::hibernated: return "hibernated";
    case record_phase::removing: return "removing";
  }
  return "";
}

BERTH_DECL bool sandbox_record::process_alive() const { return boot_id == read_boot_id() && sandbox_process.alive(); }

BERTH_DECL bool sandbox_record::is_saved() const {
  return !damaged && phase == record_phase::hibernated && boot_id == read_boot_id();
}

BERTH_DECL std::string sandbox_record::annotation(std::string_view key) const {
  for (const auto& [name, value] : annotations) {
    if (name == key) return value;
  }
  return {};
}

namespace detail {

inline constexpr std::size_t longest_record = 1u << 20;

BERTH_DECL error damaged_record(std::string why) {
  return make_error(errc::record_damaged, "sandbox", "the record cannot be read: " + std::move(why), {},
                    hints::remove_damaged());
}

// The members of a record are read one by one; the first that is missing or of the wrong kind is remembered.
class record_reader {
 public:
  explicit record_reader(json_view object) : object_(object) {}

  std::string text(const char* key) {
    const auto text = object_[key].text();
    if (!text) fail(key, "a string");
    return std::string(text.value_or(std::string_view()));
  }
  bool flag(const char* key) {
    const auto flag = object_[key].truth();
    if (!flag) fail(key, "true or false");
    return flag.value_or(false);
  }
  template <class Number>
  Number number(const char* key) {
    const json_view v = object_[key];
    const auto n = v.number<Number>();
    if (!n) fail(key, v.type() == json_view::kind::number ? "a number in range" : "a number");
    return n.value_or(Number{});
  }
  process_identity process(const char* key) {
    process_identity identity;
    if (const json_view v = object(key)) {
      record_reader inner(v);
      identity.pid = inner.number<pid_t>("pid");
      identity.start_time = inner.number<std::uint64_t>("start_time");
      take(inner, key);
    }
    return identity;
  }
  bool has(const char* key) const { return static_cast<bool>(object_[key]); }
  json_view object(const char* key, bool required = true) {
    const json_view v = object_[key];
    if (v.is_object()) return v;
    if (v || required) fail(key, "an object");
    return {};
  }
  json_view array(const char* key) {
    const json_view v = object_[key];
    if (v.is_array()) return v;
    fail(key, "an array");
    return {};
  }
  void fail(const char* key, const char* wanted) {
    if (wrong_.empty()) wrong_ = std::string("`") + key + "` is not " + wanted;
  }
  void take(const record_reader& inner, const char* key) {
    if (wrong_.empty() && !inner.wrong_.empty()) wrong_ = std::string(key) + ": " + inner.wrong_;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  json_view object_;
  std::string wrong_;
};

inline result<sandbox_record> read_record_object(json_view object) {
  sandbox_record record;
  record_reader in(object);
  record.version = in.number<int>("version");
  if (in.wrong().empty() && record.version > sandbox_record::current_version) {
    return damaged_record("version " + std::to_string(record.version) + " is from a later berth");
  }
  record.id = in.text("id");
  record.token = in.text("token");
  const std::string phase = in.text("phase");
  if (phase == "running") record.phase = record_phase::running;
  else if (phase == "hibernated") record.phase = record_phase::hibernated;
  else if (phase == "removing") record.phase = record_phase::removing;
  else if (phase != "creating") in.fail("phase", "a known phase");
  record.boot_id = in.text("boot_id");
  record.created_ms = in.number<std::int64_t>("created_ms");
  record.creator = in.process("creator");
  record.ends_with_creator = in.flag("ends_with_creator");
  if (in.has("watched")) record.watched = in.flag("watched");
  if (in.has("owner")) record.owner = in.process("owner");
  if (in.has("ends_at_ms")) record.ends_at_ms = in.number<std::int64_t>("ends_at_ms");
  if (in.has("idle_timeout_ms")) record.idle_timeout_ms = in.number<std::int64_t>("idle_timeout_ms");
  if (in.has("hibernates")) record.hibernates = in.flag("hibernates");
  record.sandbox_process = in.process("sandbox_process");
  record.rootfs = in.text("rootfs");
  record.hostname = in.text("hostname");
  const std::string network = in.text("network");
  if (network == "none") record.network = network_mode::none;
  else if (network == "path") record.network = network_mode::path;
  else if (network != "sandbox") in.fail("network", "a known mode");
  record.network_path = in.text("network_path");
  if (const json_view v = in.object("net", false)) {
    record_reader inner(v);
    record_network net;
    auto subnet = parse_ipv4_subnet(inner.text("subnet"));
    if (subnet) net.subnet = *subnet;
    else inner.fail("subnet", "an IPv4 subnet");
    net.mtu = inner.number<int>("mtu");
    net.max_connections = inner.number<std::uint32_t>("max_connections");
    if (inner.has("egress")) {  // berth 0.1.0 wrote none
      std::vector<std::string> words;
      const json_view list = inner.array("egress");
      for (std::size_t i = 0; i < list.size(); ++i) words.emplace_back(list.at(i).text().value_or(std::string_view()));
      auto policy = parse_egress(words);
      if (policy) net.egress = std::move(*policy);
      else inner.fail("egress", "a list of egress rules");
    }
    if (inner.has("ports")) {
      auto ports = parse_published_ports(inner.array("ports").texts());
      if (ports) net.ports = std::move(*ports);
      else inner.fail("ports", "a list of published ports");
    }
    if (inner.has("nameservers")) net.nameservers = inner.array("nameservers").texts();
    if (inner.has("host_ports")) {
      auto ports = parse_host_ports(inner.array("host_ports").texts());
      if (ports) net.host_ports = std::move(*ports);
      else inner.fail("host_ports", "a list of ports of the host");
    }
    in.take(inner, "net");
    record.net = net;
  }
  record.cpus = in.number<double>("cpus");
  record.memory_bytes = in.number<std::uint64_t>("memory_bytes");
  record.shared_directory = in.flag("shared_directory");
  if (in.has("guest")) record.guest = in.number<std::uint32_t>("guest");  // berth 0.1.0 wrote none
  record.net_raw = in.flag("net_raw");
  record.packet_socket_write = in.has("packet_socket_write") && in.flag("packet_socket_write");
  if (in.has("runsc_args")) record.runsc_args = in.array("runsc_args").texts();
  record.runsc = in.text("runsc");
  const json_view annotations = in.array("annotations");
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const json_view pair = annotations.at(i);
    const auto key = pair.at(0).text(), value = pair.at(1).text();
    if (!pair.is_array() || pair.size() != 2 || !key || !value) {
      in.fail("annotations", "a list of pairs");
      break;
    }
    record.annotations.emplace_back(*key, *value);
  }
  if (const json_view v = in.object("disk", false)) {
    record_reader inner(v);
    record.disk = record_disk{inner.text("file"), inner.number<std::uint64_t>("bytes")};
    in.take(inner, "disk");
  }
  if (const json_view v = in.object("pool", false)) {
    record_reader inner(v);
    record.pool = record_pool{inner.text("name"), inner.text("source")};
    in.take(inner, "pool");
  }
  if (!in.wrong().empty()) return damaged_record(in.wrong());
  // It becomes part of names and paths.
  if (record.token.size() != sandbox_record::token_size ||
      record.token.find_first_not_of(token_letters) != std::string::npos) {
    return damaged_record("the token is not of 13 letters and digits");
  }
  return record;
}

}  // namespace detail

BERTH_DECL std::string format_record(const sandbox_record& record) {
  json_writer out(2);
  const auto process = [&](const char* key, process_identity identity) {
    out.key(key).open_object();
    out.key("pid").number(identity.pid);
    out.key("start_time").unsigned_number(identity.start_time);
    out.close_object();
  };
  out.open_object();
  out.key("version").number(record.version);
  out.key("id").string(record.id);
  out.key("token").string(record.token);
  out.key("phase").string(record_phase_name(record.phase));
  out.key("boot_id").string(record.boot_id);
  out.key("created_ms").number(record.created_ms);
  process("creator", record.creator);
  out.key("ends_with_creator").boolean(record.ends_with_creator);
  out.key("watched").boolean(record.watched);
  process("owner", record.owner);
  out.key("ends_at_ms").number(record.ends_at_ms);
  out.key("idle_timeout_ms").number(record.idle_timeout_ms);
  out.key("hibernates").boolean(record.hibernates);
  process("sandbox_process", record.sandbox_process);
  out.key("rootfs").string(record.rootfs);
  out.key("hostname").string(record.hostname);
  out.key("network").string(network_mode_name(record.network));
  out.key("network_path").string(record.network_path);
  if (record.net) {
    out.key("net").open_object();
    out.key("subnet").string(record.net->subnet.to_string());
    out.key("mtu").number(record.net->mtu);
    out.key("max_connections").unsigned_number(record.net->max_connections);
    if (record.net->egress) {
      out.key("egress").open_array();
      for (const std::string& word : record.net->egress->words()) out.string(word);
      out.close_array();
    }
    out.key("ports").open_array();
    for (const published_port& port : record.net->ports) out.string(port.word());
    out.close_array();
    out.key("nameservers").open_array();
    for (const std::string& server : record.net->nameservers) out.string(server);
    out.close_array();
    out.key("host_ports").open_array();
    for (const host_port& port : record.net->host_ports) out.string(port.word());
    out.close_array();
    out.close_object();
  }
  out.key("cpus").real(record.cpus);
  out.key("memory_bytes").unsigned_number(record.memory_bytes);
  out.key("shared_directory").boolean(record.shared_directory);
  out.key("guest").number(record.guest);
  out.key("net_raw").boolean(record.net_raw);
  out.key("packet_socket_write").boolean(record.packet_socket_write);
  out.key("runsc_args").open_array();
  for (const std::string& arg : record.runsc_args) out.string(arg);
  out.close_array();
  out.key("runsc").string(record.runsc);
  out.key("annotations").open_array();
  for (const auto& [key, value] : record.annotations) out.open_array().string(key).string(value).close_array();
  out.close_array();
  if (record.disk) {
    out.key("disk").open_object();
    out.key("file").string(record.disk->file).key("bytes").unsigned_number(record.disk->bytes);
    out.close_object();
  }
  if (record.pool) {
    out.key("pool").open_object();
    out.key("name").string(record.pool->name).key("source").string(record.pool->source);
    out.close_object();
  }
  out.close_object();
  return out.take() + '\n';
}

BERTH_DECL result<sandbox_record> parse_record(std::string_view json) {
  const auto parsed = parsed_json::parse(json);
  if (!parsed) return detail::damaged_record(parsed.error().message);
  if (!parsed->root().is_object()) return detail::damaged_record("it is no object");
  return detail::read_record_object(parsed->root());
}

BERTH_DECL result<void> write_record(const sandbox_record& record) {
  const std::string path = record.directory + "/record.json", text = format_record(record);
  // The one that is there is better than one that nobody can read.
  if (text.size() > detail::longest_record) {
    return make_error(errc::too_big, "sandbox", "the record would be longer than 1 MiB", path);
  }
  if (auto again = parse_record(text); !again) {
    error e = std::move(again).error();
    e.code = errc::invalid;
    e.path = path;
    e.hint.clear();
    return e;
  }
  return replace_file(path, text, 0600, "sandbox");
}

BERTH_DECL result<sandbox_record> read_record(const std::string& directory) {
  const std::string path = directory + "/record.json";
  auto text = read_file(path, detail::longest_record, "sandbox");
  if (!text) {
    error e = std::move(text).error();
    std::string why;
    if (e.code == errc::too_big) why = "it is longer than 1 MiB";
    // A directory, a FIFO, a device, a symbolic link, which could lead anywhere.
    if (e.code == errc::invalid || e.sys_errno == ELOOP || e.sys_errno == ENXIO) why = "it is no regular file";
    if (why.empty()) return e;
    e = detail::damaged_record(std::move(why));
    e.path = path;
    return e;
  }
  auto record = parse_record(*text);
  if (!record) {
    error e = std::move(record).error();
    e.path = path;
    return e;
  }
  if (record->id != directory.substr(directory.rfind('/') + 1)) {
    error e = detail::damaged_record("it is another sandbox's");
    e.path = path;
    return e;
  }
  record->directory = directory;
  return record;
}

}  // namespace berth
