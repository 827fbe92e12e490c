// SPDX-License-Identifier: Apache-2.0
// The spec operation on rapidjson as it comes: no checks, numbers as numbers.
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>

namespace {

using rapidjson::Value;

Value& member(Value& object, const char* name, rapidjson::Type type, rapidjson::Document::AllocatorType& memory) {
  if (!object.HasMember(name)) object.AddMember(rapidjson::StringRef(name), Value(type), memory);
  return object[name];
}

}  // namespace

std::size_t unguarded_operation(const std::string& json) {
  static const char* const capabilities[] = {
      "CAP_AUDIT_WRITE", "CAP_CHOWN",     "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
      "CAP_KILL",        "CAP_MKNOD",     "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW",
      "CAP_SETFCAP",     "CAP_SETGID",    "CAP_SETPCAP",          "CAP_SETUID",    "CAP_SYS_ADMIN",
      "CAP_SYS_CHROOT",  "CAP_SYS_PTRACE"};
  rapidjson::Document spec;
  spec.Parse(json.data(), json.size());
  auto& memory = spec.GetAllocator();
  Value& sets =
      member(member(spec, "process", rapidjson::kObjectType, memory), "capabilities", rapidjson::kObjectType, memory);
  for (const char* set : {"bounding", "effective", "permitted", "inheritable"}) {
    Value& list = member(sets, set, rapidjson::kArrayType, memory);
    for (const char* capability : capabilities) {
      bool there = false;
      for (const Value& v : list.GetArray()) there = there || v == capability;
      if (!there) list.PushBack(rapidjson::StringRef(capability), memory);
    }
  }
  Value mount(rapidjson::kObjectType);
  mount.AddMember("destination", "/sys/fs/cgroup", memory);
  mount.AddMember("type", "cgroup", memory);
  mount.AddMember("source", "cgroup", memory);
  mount.AddMember("options", Value(rapidjson::kArrayType).PushBack("rw", memory), memory);
  Value& mounts = member(spec, "mounts", rapidjson::kArrayType, memory);
  bool placed = false;
  for (Value& m : mounts.GetArray())
    if (m["destination"] == "/sys/fs/cgroup") {
      m = mount;
      placed = true;
      break;
    }
  if (!placed) mounts.PushBack(mount, memory);
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  spec.Accept(writer);
  return std::string(out.GetString(), out.GetSize()).size();
}
