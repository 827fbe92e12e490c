// SPDX-License-Identifier: Apache-2.0
// A launcher in the sense of Boost.Process, without the cost or the risks of fork. All processes that berth starts on
// the host come from it.
#pragma once

#include <berth/process/detail/launch.hpp>
#include <berth/process/initializers.hpp>

#include <boost/asio/execution_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

BOOST_PROCESS_V2_BEGIN_NAMESPACE
struct process_environment;
namespace posix {
struct bind_fd;
}
BOOST_PROCESS_V2_END_NAMESPACE

namespace berth {

namespace detail {

// A process, or a handle, of Boost.Process for a child. Where the loop cannot watch it, the child is ended.
template <class Owner, class Executor>
Owner boost_owner(Executor executor, child started, boost::system::error_code& ec) {
  try {
    Owner owner(executor, started.pid, started.pidfd.get());
    (void)started.pidfd.release();
    return owner;
  } catch (const boost::system::system_error& e) {
    end_child(started);
    ec = e.code();
    return Owner(std::move(executor));
  }
}

}  // namespace detail

/// Starts programs as Boost.Process's own launchers do, from the same arguments and initializers, but by
/// clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD):
///
///     boost::process::v2::process p = berth::launcher()(loop, "/bin/ls", {"-l"}, boost::process::v2::process_start_dir("/"));
///
/// The cost does not grow with the host's memory, the pidfd is there from the first moment, and an error of the program's
/// start is an error of the call, with its errno. As with Boost.Process's own, the child has the caller's environment,
/// directory, process group and standard streams where no initializer says otherwise, and no other descriptor but those in
/// `fd_whitelist`. Unlike it: no signal is blocked or ignored in the child, and the execution context is told of no fork.
///
/// An initializer's on_exec_setup runs in the child *while it shares the memory of this process*, with all signals
/// blocked, on a stack of 32 KiB: it may make system calls and set variables of its own, and must not take locks, allocate,
/// or leave other than by returning (what it throws is caught: ECANCELED, or the code of a system_error). All other
/// hooks run here: on_setup before, on_success after; on_fork_error or on_exec_error, and then on_error, on failure. The
/// first error ends it; a child that did not get as far as its program is reaped. A std::optional of an initializer is one
/// where it holds one.
///
/// A basic_process of Boost.Process waits and signals by the number of the process, and its destructor kills and then
/// blocks until it is gone. boost_handle.hpp turns one into a berth::process, which does neither.
class launcher : public boost::process::v2::posix::default_launcher {
 public:
  using error_code = boost::system::error_code;
  using path = boost::process::v2::filesystem::path;

  /// Tried in turn in place of the executable, up to a null, as execvp(3) does with PATH.
  const char* const* programs = nullptr;

  /// `where` is an executor or an execution context. The arguments are strings, argv[0] not among them. Errors go into
  /// `ec`; the process is empty then. The launcher may be used again.
  template <class Where, class Args = std::initializer_list<std::string_view>, class... Inits>
  auto operator()(Where&& where, error_code& ec, const path& executable, Args&& args, Inits&&... inits) {
    auto executor = executor_of(where);
    using process_type = boost::process::v2::basic_process<decltype(executor)>;
    child started = start(ec, executable, args, inits...);
    if (ec) return process_type(std::move(executor));
    return detail::boost_owner<process_type>(std::move(executor), std::move(started), ec);
  }

  /// The same; throws boost::system::system_error.
  template <class Where, class Args = std::initializer_list<std::string_view>, class... Inits>
  auto operator()(Where&& where, const path& executable, Args&& args, Inits&&... inits) {
    error_code ec;
    auto p = (*this)(where, ec, executable, args, inits...);
    if (ec) throw boost::system::system_error(ec, "berth::launcher");
    return p;
  }

  /// The same without a loop: pid and pidfd, to be reaped by whoever calls.
  template <class Args = std::initializer_list<std::string_view>, class... Inits>
  child start(error_code& ec, const path& executable, Args&& args, Inits&&... inits) {
    const settings before(*this);
    const program_words words(executable, args);
    launch_run<decltype(pointer_to(inits))...> run{
        *this, executable, words.pointers.data(), {pointer_to(inits)...}, {}};
    failed_at_ = launch_stage::setup;
    failed_initializer_ = nullptr;
    child started;
    ec = words.hold_nul ? error_code(EINVAL, boost::system::system_category()) : run.set_up();
    if (!ec) started = run.launch(ec);
    if (ec) run.tell_error(ec);
    else run.tell_success();
    return started;
  }

  /// Where the last launch failed, and the initializer that it was.
  launch_stage failed_at() const noexcept { return failed_at_; }
  const void* failed_initializer() const noexcept { return failed_initializer_; }

 private:
  // What initializers change of a launcher, for the one launch.
  struct settings {
    explicit settings(launcher& l) : of(l), env(l.env), programs(l.programs), fd_whitelist(l.fd_whitelist) {}
    settings(const settings&) = delete;
    settings& operator=(const settings&) = delete;
    ~settings() {
      of.env = env;
      of.programs = programs;
      of.fd_whitelist = std::move(fd_whitelist);
    }
    launcher& of;
    const char* const* env;
    const char* const* programs;
    std::vector<int> fd_whitelist;
  };

  struct program_words {
    program_words(const path& executable, const auto& args) : strings{executable.native()} {
      for (const auto& word : args) strings.push_back(string_of(word));
      for (const auto& word : strings) {
        pointers.push_back(word.c_str());
        hold_nul = hold_nul || word.find('\0') != word.npos;
      }
      pointers.push_back(nullptr);
    }
    std::vector<std::string> strings;
    std::vector<const char*> pointers;
    bool hold_nul = false;
  };

  template <class Init>
  static Init* pointer_to(Init& init) {
    return std::addressof(init);
  }
  template <class Init>
  static Init* pointer_to(std::optional<Init>& init) {
    return init ? std::addressof(*init) : nullptr;
  }
  template <class Init>
  static const Init* pointer_to(const std::optional<Init>& init) {
    return init ? std::addressof(*init) : nullptr;
  }

  // One launch with its initializers; null stands for one that is left out.
  template <class... Pointers>
  struct launch_run {
    launcher& by;
    const path& executable;
    const char* const* command_line;
    std::tuple<Pointers...> initializers;
    error_code child_error;

    template <class Work>
    void each(Work work) {
      std::apply([&](auto*... init) { ((init != nullptr ? work(*init) : void()), ...); }, initializers);
    }

    error_code set_up() {
      error_code ec;
      each([&](auto& init) {
        if (ec) return;
        ec = set_up_one(init);
        if (ec) by.failed_initializer_ = &init;
      });
      return ec;
    }

    template <class Init>
    error_code set_up_one(Init& init) {
      if constexpr (std::is_same_v<std::remove_const_t<Init>, boost::process::v2::process_environment>) {
        by.env = init.env.data();  // what its on_setup does, which Boost 1.81 defines in none of its headers
      } else if constexpr (std::is_same_v<std::remove_const_t<Init>, boost::process::v2::posix::bind_fd>) {
        by.fd_whitelist.push_back(init.target);  // the same; 1.81's returns nothing where it has to return a value
      } else if constexpr (requires { init.on_setup(by, executable, command_line); }) {
        return init.on_setup(by, executable, command_line);
      }
      return {};
    }

    child launch(error_code& ec) {
      auto& kept = by.fd_whitelist;
      std::sort(kept.begin(), kept.end());
      kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
      const char* const only[] = {executable.c_str(), nullptr};
      detail::launch_plan plan;
      plan.programs = by.programs != nullptr ? by.programs : only;
      plan.argv = command_line;
      plan.envp = by.env;
      plan.kept = kept.data();
      plan.kept_count = kept.size();
      plan.prepare = &launch_run::prepare;
      plan.prepare_argument = this;
      child started = detail::launch(plan);
      by.failed_at_ = plan.failed_at;
      by.pid = started.pid;
      if (plan.failed_at == launch_stage::initializer) ec = child_error;
      else if (plan.failed_at != launch_stage::none) ec = error_code(plan.error, boost::system::system_category());
      return started;
    }

    BERTH_IN_CHILD static bool prepare(void* self) {
      return static_cast<launch_run*>(self)->prepare_all(std::index_sequence_for<Pointers...>());
    }

    template <std::size_t... I>
    BERTH_IN_CHILD bool prepare_all(std::index_sequence<I...>) {
      return (prepare_one(std::get<I>(initializers)) && ...);
    }

    template <class Init>
    BERTH_IN_CHILD bool prepare_one(Init* init) {
      if constexpr (requires { init->on_exec_setup(by, executable, command_line); }) {
        if (init == nullptr) return true;
        try {
          child_error = init->on_exec_setup(by, executable, command_line);
        } catch (const boost::system::system_error& e) {
          child_error = e.code();
        } catch (...) {
          child_error = error_code(ECANCELED, boost::system::system_category());
        }
        if (child_error) by.failed_initializer_ = init;
        return !child_error;
      }
      return true;
    }

    void tell_success() {
      each([&](auto& init) {
        if constexpr (requires { init.on_success(by, executable, command_line); }) {
          init.on_success(by, executable, command_line);
        }
      });
    }

    void tell_error(const error_code& ec) {
      each([&](auto& init) {
        if constexpr (requires { init.on_fork_error(by, executable, command_line, ec); }) {
          if (by.failed_at_ == launch_stage::process) init.on_fork_error(by, executable, command_line, ec);
        }
        if constexpr (requires { init.on_exec_error(by, executable, command_line, ec); }) {
          if (by.failed_at_ == launch_stage::exec) init.on_exec_error(by, executable, command_line, ec);
        }
        if constexpr (requires { init.on_error(by, executable, command_line, ec); }) {
          init.on_error(by, executable, command_line, ec);
        }
      });
    }
  };

  template <class Where>
  static auto executor_of(Where& where) {
    if constexpr (std::is_convertible_v<Where&, boost::asio::execution_context&>) return where.get_executor();
    else return std::remove_cv_t<Where>(where);
  }

  template <class Word>
  static std::string string_of(const Word& word) {
    if constexpr (std::is_convertible_v<const Word&, std::string>) return word;
    else return std::string(word.data(), word.size());
  }

  launch_stage failed_at_ = launch_stage::none;
  const void* failed_initializer_ = nullptr;
};

}  // namespace berth
