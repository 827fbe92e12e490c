#pragma once

#include <berth/sandbox/detail/files.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/free_json.hpp>

#include <charconv>

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
    case record_phase::removing: return "removing";
  }
  return "";
}

BERTH_DECL std::string sandbox_record::annotation(std::string_view key) const {
  for (const auto& [name, value] : annotations) {
    if (name == key) return value;
  }
  return {};
}

namespace detail {

BERTH_DECL error damaged_record(std::string why) {
  return make_error(errc::record_damaged, "sandbox", "the record cannot be read: " + std::move(why), {},
                    "berth rm ID removes the sandbox by what is left of it");
}

// The members of a record are read one by one; the first that is missing or of the wrong kind is remembered.
class __attribute__((visibility("hidden"))) record_reader {
 public:
  explicit record_reader(const json_value& object) : object_(object) {}

  std::string text(const char* key) {
    const json_value* v = find_member(&object_, key);
    if (v == nullptr || !is_text(*v)) return fail(key, "a string"), std::string();
    return std::string(text_of(*v));
  }
  bool flag(const char* key) {
    const json_value* v = find_member(&object_, key);
    if (v == nullptr || !v->IsBool()) return fail(key, "true or false"), false;
    return v->GetBool();
  }
  template <class Number>
  Number number(const char* key) {
    Number n{};
    const json_value* v = find_member(&object_, key);
    if (v == nullptr || !is_number(*v)) return fail(key, "a number"), n;
    const std::string_view digits = text_of(*v).substr(1);
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (ec != std::errc() || end != digits.data() + digits.size()) fail(key, "a number in range");
    return n;
  }
  process_identity process(const char* key) {
    process_identity identity;
    if (const json_value* v = object(key)) {
      record_reader inner(*v);
      identity.pid = inner.number<pid_t>("pid");
      identity.start_time = inner.number<std::uint64_t>("start_time");
      take(inner, key);
    }
    return identity;
  }
  const json_value* object(const char* key, bool required = true) {
    const json_value* v = find_member(&object_, key);
    if (v != nullptr && v->IsObject()) return v;
    if (v != nullptr || required) fail(key, "an object");
    return nullptr;
  }
  const json_value* array(const char* key) {
    const json_value* v = find_member(&object_, key);
    if (v != nullptr && v->IsArray()) return v;
    fail(key, "an array");
    return nullptr;
  }
  void fail(const char* key, const char* wanted) {
    if (wrong_.empty()) wrong_ = std::string("`") + key + "` is not " + wanted;
  }
  void take(const record_reader& inner, const char* key) {
    if (wrong_.empty() && !inner.wrong_.empty()) wrong_ = std::string(key) + ": " + inner.wrong_;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const json_value& object_;
  std::string wrong_;
};

inline result<sandbox_record> read_record_object(const json_value& object) {
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
  else if (phase == "removing") record.phase = record_phase::removing;
  else if (phase != "creating") in.fail("phase", "a known phase");
  record.boot_id = in.text("boot_id");
  record.created_ms = in.number<std::int64_t>("created_ms");
  record.creator = in.process("creator");
  record.ends_with_creator = in.flag("ends_with_creator");
  record.sandbox_process = in.process("sandbox_process");
  record.rootfs = in.text("rootfs");
  record.hostname = in.text("hostname");
  const std::string network = in.text("network");
  if (network == "none") record.network = network_mode::none;
  else if (network == "path") record.network = network_mode::path;
  else if (network != "sandbox") in.fail("network", "a known mode");
  record.network_path = in.text("network_path");
  if (const json_value* v = in.object("net", false)) {
    record_reader inner(*v);
    record_network net;
    auto subnet = parse_ipv4_subnet(inner.text("subnet"));
    if (subnet) net.subnet = *subnet;
    else inner.fail("subnet", "an IPv4 subnet");
    net.mtu = inner.number<int>("mtu");
    in.take(inner, "net");
    record.net = net;
  }
  record.cpus = in.number<double>("cpus");
  record.memory_bytes = in.number<std::uint64_t>("memory_bytes");
  record.shared_directory = in.flag("shared_directory");
  record.net_raw = in.flag("net_raw");
  record.runsc = in.text("runsc");
  if (const json_value* v = in.array("annotations")) {
    for (const json_value& pair : v->GetArray()) {
      if (!pair.IsArray() || pair.Size() != 2 || !is_text(pair[0]) || !is_text(pair[1])) {
        in.fail("annotations", "a list of pairs");
        break;
      }
      record.annotations.emplace_back(text_of(pair[0]), text_of(pair[1]));
    }
  }
  if (!in.wrong().empty()) return damaged_record(in.wrong());
  if (record.token.size() != 13) return damaged_record("the token is not of 13 characters");
  return record;
}

}  // namespace detail

BERTH_DECL std::string format_record(const sandbox_record& record) {
  namespace d = detail;
  d::json_document doc;
  const auto put = [&doc](d::json_value& object, const char* key, d::json_value value) {
    d::set_member(doc, object, key, std::move(value));
  };
  const auto process = [&](process_identity identity) {
    d::json_value object(d::rapidjson::kObjectType);
    put(object, "pid", doc.number(identity.pid));
    put(object, "start_time", doc.unsigned_number(identity.start_time));
    return object;
  };
  const auto real = [&](double value) {
    char text[48];
    text[0] = d::number_mark;
    const auto end = std::to_chars(text + 1, text + sizeof text, value).ptr;
    return doc.string(std::string_view(text, static_cast<std::size_t>(end - text)));
  };
  d::json_value object(d::rapidjson::kObjectType);
  put(object, "version", doc.number(record.version));
  put(object, "id", doc.string(record.id));
  put(object, "token", doc.string(record.token));
  put(object, "phase", doc.string(record_phase_name(record.phase)));
  put(object, "boot_id", doc.string(record.boot_id));
  put(object, "created_ms", doc.number(record.created_ms));
  put(object, "creator", process(record.creator));
  put(object, "ends_with_creator", d::json_value(record.ends_with_creator));
  put(object, "sandbox_process", process(record.sandbox_process));
  put(object, "rootfs", doc.string(record.rootfs));
  put(object, "hostname", doc.string(record.hostname));
  put(object, "network", doc.string(network_mode_name(record.network)));
  put(object, "network_path", doc.string(record.network_path));
  if (record.net) {
    d::json_value net(d::rapidjson::kObjectType);
    put(net, "subnet", doc.string(record.net->subnet.to_string()));
    put(net, "mtu", doc.number(record.net->mtu));
    put(object, "net", std::move(net));
  }
  put(object, "cpus", real(record.cpus));
  put(object, "memory_bytes", doc.unsigned_number(record.memory_bytes));
  put(object, "shared_directory", d::json_value(record.shared_directory));
  put(object, "net_raw", d::json_value(record.net_raw));
  put(object, "runsc", doc.string(record.runsc));
  d::json_value annotations(d::rapidjson::kArrayType);
  for (const auto& [key, value] : record.annotations) {
    d::json_value pair(d::rapidjson::kArrayType);
    d::push_back(doc, pair, doc.string(key));
    d::push_back(doc, pair, doc.string(value));
    d::push_back(doc, annotations, std::move(pair));
  }
  put(object, "annotations", std::move(annotations));
  std::string text;
  d::write_json(text, object, 2);
  text += '\n';
  return text;
}

BERTH_DECL result<sandbox_record> parse_record(std::string_view json) {
  detail::json_document doc;
  auto value = detail::parse_free_json(doc, json);
  if (!value) return detail::damaged_record(value.error().message);
  if (!(*value)->IsObject()) return detail::damaged_record("it is no object");
  return detail::read_record_object(**value);
}

BERTH_DECL result<void> write_record(const sandbox_record& record) {
  return detail::replace_file(record.directory + "/record.json", format_record(record), 0600);
}

BERTH_DECL result<sandbox_record> read_record(const std::string& directory) {
  const std::string path = directory + "/record.json";
  auto text = detail::read_whole_file(path, 1u << 20);
  if (!text) {
    if (text.error().code == errc::too_big) return detail::damaged_record("it is longer than 1 MiB");
    return std::move(text).error();
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
