// SPDX-License-Identifier: Apache-2.0
// A managed sandbox: made, found again, used, and removed without a trace.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/guest/channel.hpp>
#include <berth/guest/executor.hpp>
#include <berth/guest/files.hpp>
#include <berth/network/network.hpp>
#include <berth/process/executor.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/detail/exec_process.hpp>
#include <berth/sandbox/exit_reason.hpp>
#include <berth/sandbox/garbage.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// asleep: paused since nobody used it, until somebody does. unresponsive: its process is alive, but is stopped or does not
/// answer; commands inside will not start. lost: the record speaks of another boot, or its creation broke off. Only
/// collect_garbage and terminate help.
enum class sandbox_state { creating, running, paused, asleep, hibernated, unresponsive, stopped, lost };
BERTH_DECL std::string_view sandbox_state_name(sandbox_state state) noexcept;

/// init: what `runsc run` and the sandbox's first process printed. daemon: dockerd's lines, where the guest keeps it, or
/// whoever else writes them to record().daemon_log(). command: what the command that the guest keeps printed. (runsc's own logs: read_runsc_logs(record().runsc_logs()).)
enum class sandbox_log { init, daemon, command };

/// Where a sandbox may begin connections to, and what was refused.
struct sandbox_egress {
  egress_policy policy;
  std::uint64_t refused = 0;             ///< packets of its own, so far
  std::vector<refused_place> places;     ///< as egress_report has them; none of a sandbox of a berth that kept no list
  std::vector<named_address> addresses;  ///< that the names of its rules have, as far as it asked for them
  std::vector<refused_name> refused_names;  ///< that it asked for, as list_refused_names
};
/// Its members of the JSON object that `to` has open: "egress", "refused", "refused_places", "addresses", "refused_names".
BERTH_DECL void write_members(json_writer& to, const sandbox_egress& egress);

/// What a sandbox that waited in a pool is to be from now on, as in sandbox_config.
struct pool_claim {
  std::vector<std::pair<std::string, std::string>> annotations;  ///< in place of those that it had
  bool watch_creator = false;
  process_identity owner;
  duration lifetime = duration::zero();      ///< from now on
  duration idle_timeout = duration::zero();  ///< as in sandbox_own, these two
  bool hibernate = false;
};

/// What is to be done while nothing inside a sandbox runs; its error is that of whoever had it done.
using standstill_work = std::function<boost::asio::awaitable<result<void>>()>;

/// A handle to a sandbox. Handles of one sandbox may exist in many processes: the truth is the record on disk and the
/// host's processes. Used from the loop's thread only. Destroying a handle does nothing to the sandbox.
///
/// All coroutines report cancellation as errc::cancelled.
class sandbox : public executor, public std::enable_shared_from_this<sandbox> {
 public:
  /// Makes and starts a sandbox: record, then directories, shared tmpfs, network, bundle, runsc. Whatever fails, all that
  /// was made is removed again and the error says why (with runsc's true cause from its debug log). Cancelling does the same.
  /// The first use of a runsc binary on a machine takes about 0.4 s more, while it is asked for its options; later ones read
  /// a cache. Errors: invalid, permission (not root), exists, runsc_not_found, runsc_flag_unsupported, network_failed,
  /// mount_failed, unsupported, timeout, cancelled, runsc_failed.
  BERTH_DECL static boost::asio::awaitable<result<std::shared_ptr<sandbox>>> create(environment where,
                                                                                    sandbox_config what);

  /// Finds one by id, also of another process. Blocking, but never for long. A damaged record gives a handle that can do
  /// nothing but terminate. Errors: not_found, invalid (not an id), permission, io.
  BERTH_DECL static result<std::shared_ptr<sandbox>> attach(environment where, std::string id);

  const std::string& id() const noexcept { return record_.id; }
  const sandbox_record& record() const noexcept { return record_; }  ///< as last read or written

  /// Reads the record again and looks at the processes. A sandbox that does not answer within `patience` is unresponsive; with
  /// none, it is not asked.
  /// Errors: not_found once it was removed, record_damaged, those of runsc.
  BERTH_DECL boost::asio::awaitable<result<sandbox_state>> state(duration patience = seconds(2));

  /// executor: a command inside, through the sandbox's guest, which costs no process on the host; by `runsc exec` where the
  /// guest does not answer and was not told of the command yet, where the streams are a terminal, and where one argument or
  /// variable has 128 KiB or all have more than 1 MiB. stdin, stdout and stderr are apart. `command::user` is docker's
  /// --user: uid, uid:gid, name or name:group (names as /etc/passwd inside has them; by `runsc exec`, that of the root file
  /// system). The command leads a process group of its own inside; `signal` reaches it there, SIGKILL its whole group;
  /// destroying one that still runs ends it with its group. Its status is its own, 128 + signal where one ended it; 127 when
  /// there is no such program, 126 when it cannot be executed (or its cwd is absent), with the reason on stderr, and then
  /// `pid` stays 0. `wait` gives sandbox_not_running when the sandbox ended meanwhile, runsc_failed when runsc itself failed,
  /// hostile or io when the guest talks nonsense or breaks off.
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what,
                                                                                    stdio_options io) override;

  /// The same with a terminal inside of its own: what it prints comes as one stream, `out`, and what is written to it is
  /// typed. Through the guest only. Errors: as start; unsupported where no guest answers.
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<guest_command>>> start_terminal(command what,
                                                                                           stdio_options io,
                                                                                           guest_terminal_size size);

  /// A connection to the guest for frames other than a command's. A guest that was just started is waited for. Errors: as
  /// guest_channel::open; sandbox_not_running; unsupported where the sandbox was made by a berth without such a guest.
  BERTH_DECL boost::asio::awaitable<result<guest_channel>> open_guest(time_point deadline);

  /// Its files, through its guest and by no program of its root file system. Errors of all its operations: as open_guest; besides,
  /// as guest_files.
  BERTH_DECL guest_files& files();

  /// Whether commands go by `runsc exec` in any case, as when one would rather not speak with what is inside.
  void use_runsc_exec(bool always) noexcept { runsc_only_ = always; }

  /// By `runsc exec`: starts a command that goes on when this process ends, until it or the sandbox ends. Its stdout and
  /// stderr are appended to the file `log_path` on the host (made 0600; not in the shared directory), without a limit on its
  /// length. Returns its pid inside. Errors: as start; process_exited when it ended at once, with the end of the file as
  /// detail.
  BERTH_DECL boost::asio::awaitable<result<pid_t>> start_detached(command what, std::string log_path);

  /// Why it runs no more, as find_exit_reason; none while it runs. Reads small files.
  exit_reason why_ended() const { return find_exit_reason(record_); }

  /// The end of a log, at most `limit` bytes; empty when nothing was written to it. The text is the sandbox's: show it by
  /// visible_text. Reads a file. Errors: not_found once the sandbox was removed, errno's.
  BERTH_DECL result<std::string> logs(sandbox_log which, std::size_t limit = 64 * 1024) const;

  /// Waits until the sandbox's init has ended, killed or by itself. timeout at the deadline.
  BERTH_DECL boost::asio::awaitable<result<void>> wait_stopped(time_point deadline = time_point::max());

  /// The host path of a file in the shared directory, for instance "docker.sock". Hostile ground: see security.md.
  std::string shared_path(std::string_view name) const { return record_.shared() + "/" + std::string(name); }
  /// Where the shared directory is inside.
  static constexpr std::string_view shared_inside = "/run/berth";

  /// Sets an annotation in the record; an empty value removes it. UTF-8 without NUL, and all of them have at most 128 KiB.
  /// Errors: invalid; as reading and writing the record.
  BERTH_DECL boost::asio::awaitable<result<void>> annotate(std::string key, std::string value);

  /// Writes what the sandbox changed in its root file system to a new file on the host, as a tar (0600): a deleted entry is
  /// a character device 0:0 or a link to one, a directory that hides what was below has the attribute
  /// trusted.overlay.opaque, as in an overlayfs's upper directory. Hostile content: unpack it with care. Errors: exists,
  /// sandbox_not_running, runsc_flag_unsupported (before release 20250721.0), those of runsc.
  BERTH_DECL boost::asio::awaitable<result<void>> export_changes(std::string file);

  /// The binary that runs this sandbox, for verbs that berth has no method for, with the options that address it (--root).
  /// Known where this handle created the sandbox, else from the cache; blocks for about 0.4 s only where the file was
  /// replaced since. Errors: those of find_sandbox_runsc.
  BERTH_DECL result<runsc_binary> runsc();
  runsc_globals globals() const;

  /// It does not end with the process that made it any more; with sandbox_config::owner and after its lifetime it still does.
  /// Errors: not_found once it was removed; as reading and writing the record.
  BERTH_DECL boost::asio::awaitable<result<void>> hand_over();

  /// Takes a sandbox out of the pool that it waits in: from here on it is as one that this handle has created, and ends with
  /// this process until hand_over, and is awake. Of any number that try, one gets it. Errors: again (somebody was quicker, or is at work on it);
  /// not_found once it was removed; invalid (annotations); as spawning; as reading and writing the record.
  BERTH_DECL boost::asio::awaitable<result<void>> claim(pool_claim what);

  /// Stops everything inside where it is, until resume(): nothing runs there or takes CPU time, its memory stays, and who
  /// talks to it waits. Commands are refused meanwhile (sandbox_not_running). One that is paused stays so, and one that is
  /// asleep is paused from then on: its next use does not wake it. Errors: sandbox_not_running, timeout, those of runsc.
  BERTH_DECL boost::asio::awaitable<result<void>> pause(duration patience = seconds(10));
  /// Everything inside goes on; clocks have gone on meanwhile. One that is not paused runs on. Errors: as pause.
  BERTH_DECL boost::asio::awaitable<result<void>> resume(duration patience = seconds(10));
  /// Saves all that runs inside to the disk, in its own directory, and ends it: it takes no memory until its next use, as those that
  /// wake one that is asleep, or resume(), which goes on from there. It is the same sandbox then, with its id, address and names;
  /// what that costs its connections and containers is as with a snapshot. Killed in the middle of it, the next use finds it as it
  /// was, running or saved. With `unused_for` only where nobody has used it for so long (else: state). Errors: as checkpoint;
  /// state; permission.
  BERTH_DECL boost::asio::awaitable<result<void>> hibernate(duration unused_for = duration::zero(),
                                                            duration patience = seconds(120));
  /// Whether pause() was asked of it and resume() was not since, by any process, or it is asleep. Looks for a file.
  BERTH_DECL bool is_paused() const;
  /// From now on it falls asleep as with sandbox_config::idle_timeout, which is checked as that is; zero: no more, and one that
  /// is asleep goes on at its next use. Errors: invalid; unsupported; not_found once it was removed; as reading and writing the
  /// record, and as ensure_watch.
  BERTH_DECL boost::asio::awaitable<result<void>> set_idle_timeout(duration how_long);
  /// Whether it runs or is hibernated, and has not ended. Reads its record where the process that it had is gone.
  BERTH_DECL bool lives();
  /// Whether it was paused since nobody had used it for sandbox_config::idle_timeout. Commands, files and all else that is asked
  /// of its programs wake it first; what is asked of the host about it (state, logs, egress) does not. Reads a file.
  BERTH_DECL bool is_asleep() const;

  /// Saves all that runs inside, memory and file systems, to files in the empty directory `directory`, for a sandbox_image. What is
  /// on the host's side, bound directories, is not saved: `meanwhile`, where it is given, may do that. It is called once all else is
  /// saved, while nothing inside runs; until it is over the sandbox is a paused one, and its error is that of the whole.
  /// Everything inside stands still meanwhile; afterwards it goes on where `leave_running`, else the sandbox has ended. Connections
  /// to the guest and to Docker from the host are cut; a command that runs through the guest would be cut off as well, so that
  /// nothing is saved then (state). Errors: sandbox_not_running; state; unsupported (no guest of this version); timeout, hostile,
  /// those of runsc, after which it goes on as before.
  BERTH_DECL boost::asio::awaitable<result<void>> checkpoint(std::string directory, bool leave_running,
                                                             duration patience = seconds(120),
                                                             standstill_work meanwhile = {});

  /// Its egress policy and what that refused, asked of the record and of the host's rules. Errors: unsupported (network_mode::none
  /// and path, whose host side is not berth's; a sandbox of a berth that had no such policies), sandbox_not_running,
  /// network_failed (its rules are gone: nothing is enforced), timeout.
  BERTH_DECL boost::asio::awaitable<result<sandbox_egress>> egress(duration patience = seconds(10));
  /// Puts another policy in its place, at once and wholly; a paused sandbox's too. What is open and not allowed any more is
  /// refused from its next packet on. Once it was begun a cancellation does not break it off. Errors: as egress(); invalid;
  /// as reading and writing the record, in which case the one before holds.
  BERTH_DECL boost::asio::awaitable<result<void>> set_egress(egress_policy policy, duration patience = seconds(10));

  /// Kills everything inside. Its record, logs and shared directory stay until it is removed. One that has ended stays as it
  /// is. Errors: timeout, those of runsc.
  BERTH_DECL boost::asio::awaitable<result<void>> stop(duration patience = seconds(10));

  /// Kills everything inside and removes every resource. Idempotent, and safe beside others that do the same; goes on past
  /// failures and reports the first, in which case the record stays so that it can be tried again. `patience` is for what
  /// does not go at once: another process that removes it, a process that the kernel holds.
  BERTH_DECL boost::asio::awaitable<result<void>> terminate(duration patience = seconds(60));

 private:
  sandbox(environment where, std::string root, sandbox_record record)
      : where_(std::move(where)), root_(std::move(root)), record_(std::move(record)) {}
  boost::asio::awaitable<result<std::unique_ptr<running_command>>> start_command(command what, stdio_options io);
  boost::asio::awaitable<result<void>> set_paused(bool paused, time_point deadline);
  boost::asio::awaitable<result<void>> begin_pause(time_point deadline);
  boost::asio::awaitable<result<void>> go_on(bool only_if_asleep, time_point deadline);
  /// It runs, or it was asleep and does by now. Errors: as check_running; as resume.
  boost::asio::awaitable<result<void>> be_awake();
  struct save_request {
    std::string directory;
    bool leave_running = true;
    standstill_work meanwhile;
    bool to_sleep = false;                   // who uses it meanwhile waits, and then wakes it
    duration unused_for = duration::zero();  // else it is not saved
  };
  boost::asio::awaitable<result<void>> save(save_request what, time_point deadline);
  boost::asio::awaitable<result<void>> end_save(const save_request& what, result<void> retreated, result<void> saved);
  boost::asio::awaitable<result<void>> have_guest_retreat(bool for_good, duration unused_for, time_point deadline);
  boost::asio::awaitable<result<void>> begin_hibernation(duration unused_for, time_point deadline);
  boost::asio::awaitable<result<void>> have_callers_heard(time_point deadline);
  boost::asio::awaitable<result<void>> end_for_hibernation(time_point deadline);
  // By who holds the directory's lock, of what was just read:
  boost::asio::awaitable<result<void>> bring_back(time_point deadline);
  result<void> call_hibernation_off();
  boost::asio::awaitable<result<void>> drop_hibernation(time_point deadline);
  boost::asio::awaitable<void> wait_for_guest(time_point deadline);
  bool goes_by_guest(const command& what, const stdio_options& io) const;
  boost::asio::awaitable<guest_attempt> attempt_by_guest(command what, stdio_options io,
                                                         std::optional<guest_terminal_size> terminal = {});
  boost::asio::awaitable<result<sandbox_state>> find_state(duration patience);
  boost::asio::awaitable<result<void>> write_changes(std::string file);
  struct exec_call {
    std::vector<std::string> argv;  // of runsc
    unique_fd process;              // what it reads as its --process
  };
  result<exec_call> make_exec(const command& what, bool terminal, const std::string& pid_file,
                              const std::string& log_file);
  result<void> check_running();
  result<void> read_record_again();
  environment runsc_place() const;
  boost::asio::awaitable<result<runsc_binary>> runsc_by(time_point deadline);

  environment where_;
  std::string root_;  // where_.root without symlinks
  sandbox_record record_;
  std::optional<guest_files> files_;
  std::optional<runsc_binary> runsc_;
  std::optional<detail::container_process> process_;  // what it was started with, once it was read
  bool runsc_only_ = false;
};

/// All sandboxes under where.root, in order of creation. A damaged record gives an entry with `damaged` set. A root that is
/// not there holds none. Blocking, but never for long. Errors: permission, io.
BERTH_DECL result<std::vector<sandbox_record>> list_sandboxes(const environment& where);

/// Removes what dead owners left: sandboxes whose creation or removal broke off, whose init has exited, that are of an
/// earlier boot, or whose record says that they end with a creator that is gone; further what no record speaks of any more
/// (processes, networks, cgroups, half-made directories) and is proved to be of this root. A sandbox whose state directory
/// is not deleted but hidden from here is left alone, and so are damaged records; while there is one, nothing without a
/// record is removed. What others are creating or removing is left alone too. Goes on past failures and reports the first;
/// `partial`, where given, has what was removed after a failure too, and must outlive the coroutine.
BERTH_DECL boost::asio::awaitable<result<collected_garbage>> collect_garbage(environment where,
                                                                             collected_garbage* partial = nullptr);

inline runsc_globals sandbox::globals() const {
  runsc_globals globals;
  globals.root = record_.runsc_root();
  return globals;
}

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/checkpoint.ipp>
#include <berth/impl/sandbox/create.ipp>
#include <berth/impl/sandbox/egress.ipp>
#include <berth/impl/sandbox/exec.ipp>
#include <berth/impl/sandbox/exec_by_guest.ipp>
#include <berth/impl/sandbox/export.ipp>
#include <berth/impl/sandbox/hibernate.ipp>
#include <berth/impl/sandbox/pause.ipp>
#include <berth/impl/sandbox/remove.ipp>
#include <berth/impl/sandbox/sandbox.ipp>
#endif
