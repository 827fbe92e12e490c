// SPDX-License-Identifier: Apache-2.0
// The one system call by which the library makes processes, and what surrounds it. launcher.hpp is how it is used.
#pragma once

#include <berth/config.hpp>
#include <berth/process/child.hpp>

#include <cstddef>

// What runs in the child shares the parent's memory and thread-local storage while the parent's thread is suspended, so
// it must leave no trace in a sanitizer's books: no instrumentation, and system calls only by syscall(2), which no
// sanitizer intercepts.
#if defined(__clang__)
#if __has_attribute(disable_sanitizer_instrumentation)
#define BERTH_IN_CHILD __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define BERTH_IN_CHILD __attribute__((noinline, no_sanitize("address", "thread", "undefined", "memory")))
#endif
#else
#define BERTH_IN_CHILD \
  __attribute__((noinline, no_sanitize_address, no_sanitize_thread, no_sanitize_undefined, no_stack_protector))
#endif

namespace berth {

/// Where a launch failed.
enum class launch_stage {
  none,
  setup,        ///< before there was a child: an initializer's on_setup, or an argument with a NUL
  process,      ///< no process could be made
  initializer,  ///< an initializer's on_exec_setup, in the child
  descriptors,  ///< closing what the program is not to have
  exec,         ///< loading the program
};

namespace detail {

// All that the child needs, made ready by the parent: the child allocates nothing.
struct launch_plan {
  const char* const* programs = nullptr;  // what to try, up to a null
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;
  const int* kept = nullptr;  // the descriptors that the program gets, sorted, each once
  std::size_t kept_count = 0;
  bool (*prepare)(void*) = nullptr;  // in the child, before the other descriptors are closed; false: do not go on
  void* prepare_argument = nullptr;
  // Written by the child.
  bool failed = false;
  launch_stage failed_at = launch_stage::none;
  int error = 0;  // errno, but where `prepare` failed
};

/// Makes the child and returns once it runs the program. Where it does not, nothing of it is left: there is no pid, and
/// the plan says why (for launch_stage::initializer only whoever gave `prepare` knows).
BERTH_DECL child launch(launch_plan& plan);

/// Kills a child that nobody else knows of yet, and reaps it.
BERTH_DECL void end_child(const child& c);

}  // namespace detail

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/launch.ipp>
#endif
