// SPDX-License-Identifier: Apache-2.0
// The OCI runtime spec (config.json) as a lossless document: read, changed by section, written.
#pragma once

#include <berth/base/result.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

namespace detail {
class json_document;
}

class spec_builder;

/// A change to a spec, for composing: see `spec_builder::apply`.
using spec_mutation = std::function<result<void>(spec_builder&)>;

/// SpecBuilder: a runtime-spec document that keeps what it does not know. Unknown keys, the order of keys and the source
/// text of numbers survive; a mutation changes only the paths that it names, is applied wholly or not at all, and changes
/// nothing when it is applied again. The sections have a header and a class each: spec_process, spec_capabilities,
/// spec_mounts, spec_namespaces, spec_resources, spec_rlimits, spec_env, spec_annotations, spec_hostname, spec_root,
/// spec_seccomp; `berth/spec/spec.hpp` includes them all.
///
/// One thread at a time; movable between threads; no globals. A moved-from builder may only be assigned to or destroyed.
class spec_builder {
 public:
  /// A document with nothing but `ociVersion`. Throws std::bad_alloc.
  BERTH_DECL spec_builder();

  /// Checks and parses the text of a config.json. At most 16 MiB and 128 levels. Refused, each with code, JSON pointer and
  /// hint: what is not JSON in UTF-8 (spec_syntax), a key twice, exactly, by escape or by case (spec_duplicate_key), a key
  /// that is a known field but for its case (spec_key_case), a value of the wrong type (spec_type), a number out of range
  /// (spec_number), too deep or too large (spec_too_deep, spec_too_large), a NUL in a string (spec_nul), `..` or a relative
  /// path in a mount's destination, a cwd that is relative or beneath /proc (spec_path). Also no_memory. Keys are told
  /// apart by case only in maps whose keys are free, such as annotations: gVisor's Go decoder ignores case, and the last
  /// one wins. A capability that berth does not know is kept: see spec_capabilities::unknown.
  BERTH_DECL static result<spec_builder> parse(std::string_view json);

  /// Reads a file and parses it. A symbolic link at the end of the path is refused, and so is what is no regular file.
  /// Errors as `parse`; not_found, permission, io with the file's path; spec_path for a symbolic link.
  BERTH_DECL static result<spec_builder> load(const std::string& path);

  BERTH_DECL spec_builder(spec_builder&&) noexcept;
  BERTH_DECL spec_builder& operator=(spec_builder&&) noexcept;
  BERTH_DECL ~spec_builder();

  /// A copy that shares nothing with this one.
  BERTH_DECL result<spec_builder> clone() const;

  /// The document as compact JSON. Throws std::bad_alloc.
  BERTH_DECL std::string to_json() const;

  /// The document as runc and runsc write it: indented by four blanks, with a newline at the end. Throws std::bad_alloc.
  BERTH_DECL std::string to_pretty_json() const;

  /// Writes the pretty form (the compact one, where the pretty one would be larger than the 16 MiB that are read; what is
  /// larger even so is refused: spec_too_large) atomically: a temporary file in the same directory, fsync, rename, fsync of
  /// the directory. A reader sees the old file or the new one; on failure the old one stays and no temporary file is left. A
  /// symbolic link at `path` is refused (spec_path). `mode` is the new file's, whatever the umask.
  BERTH_DECL result<void> write_file(const std::string& path, unsigned mode = 0600) const;

  /// What write_file writes. Errors: spec_too_large.
  BERTH_DECL result<std::string> file_text() const;

  /// The value at a JSON pointer (RFC 6901; "" is the document) as compact JSON, or not_found.
  BERTH_DECL result<std::string> get(std::string_view pointer) const;

  /// Applies the changes in order, all of them or, when one fails or throws, none; the error is that one's.
  template <class... Mutations>
  result<void> apply(Mutations&&... mutations) {
    return apply_group([&](spec_builder& self) {
      result<void> outcome;
      (void)((outcome = mutations(self)).has_value() && ...);
      return outcome;
    });
  }
  BERTH_DECL result<void> apply(std::span<const spec_mutation> mutations);

  /// For berth's own layers.
  detail::json_document& document() noexcept { return *document_; }
  const detail::json_document& document() const noexcept { return *document_; }

 private:
  explicit spec_builder(std::unique_ptr<detail::json_document> document) noexcept;

  template <class Group>
  result<void> apply_group(Group group) {
    using erased = result<void> (*)(void*, spec_builder&);
    const erased call = [](void* g, spec_builder& self) { return (*static_cast<Group*>(g))(self); };
    return apply_erased(call, &group);
  }
  BERTH_DECL result<void> apply_erased(result<void> (*call)(void*, spec_builder&), void* group);

  std::unique_ptr<detail::json_document> document_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/spec_builder.ipp>
#include <berth/impl/spec/spec_file.ipp>
#endif
