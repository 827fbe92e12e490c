// SPDX-License-Identifier: Apache-2.0
// What the scan knows of a field of runtime-spec: its name, the type that Go decodes it into, and further checks.
#pragma once

#include <berth/config.hpp>

#include <cstdint>
#include <string_view>

namespace berth::detail {

enum class schema_kind : std::uint8_t {
  unknown,  ///< a key that runtime-spec does not name: anything, kept as it is
  any,      ///< Go's interface{}
  string,
  cwd,          ///< a string: empty, or absolute and not beneath /proc
  destination,  ///< a string: absolute, without `..`
  boolean,
  i32,
  i64,
  u16,
  u32,
  u64,
  object,  ///< a Go struct: known fields, matched by Go without regard to case
  array,
  map,  ///< a Go map: keys are free
};

struct schema_field;

struct schema_node {
  schema_kind kind = schema_kind::unknown;
  const schema_field* fields = nullptr;  ///< of an object
  std::uint8_t field_count = 0;          ///< at most 64: the scan keeps one bit a field
  const schema_node* element = nullptr;  ///< of an array or a map
};

struct schema_field {
  std::string_view name;
  const schema_node* node;
};

}  // namespace berth::detail
