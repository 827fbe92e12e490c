/* SPDX-License-Identifier: Apache-2.0 */
/* berth: the files of a sandbox of berth's own, through its guest: no program of its root file system has a part in it.
 *
 * Paths are the sandbox's, absolute or below its guest's own directory (most often /): any bytes but NUL. What is done is done
 * as root inside. Errors of files have layer "files", the path, and the errno inside, as far as the sandbox tells the truth:
 * BERTH_E_NOT_FOUND, _EXISTS, _PERMISSION, _INVALID (EINVAL), _TOO_BIG, else _IO. Where its guest does not answer nobody else is
 * asked: as berth_sandbox_start_docker. A sandbox that talks nonsense: BERTH_E_HOSTILE.
 *
 * fd: a descriptor of the caller's, duplicated during the call; -1: none, the content is in memory. It may be a pipe: whoever
 * reads or writes its other end slowly holds up this operation alone. Its flags stay as they are.
 * Cancelled, or past its deadline, an operation leaves nothing half-written inside.
 * Threads: any, at any time.
 */
#ifndef BERTH_FILES_H
#define BERTH_FILES_H

#include "berth_sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* options: {"offset":bytes,"length":bytes,"most":bytes}; empty: all of the file. length: no more is read. most: a file that has
 * more left is BERTH_E_TOO_BIG; without an fd at most 1 GiB, which is the default there. payload: the content, or with an fd
 * none. A FIFO is refused. */
BERTH_API berth_status berth_files_read(berth_sandbox *sandbox, const char *path, size_t path_len, const char *options,
                                        size_t options_len, int32_t fd, const berth_op_options *op_options,
                                        uint64_t *op, berth_error **err);
/* Replaces the content of a file by data, or where there is an fd by what can be read of that; or makes the file. It is there
 * whole, or as it was, with its owner; what is no regular file, or cannot be replaced, is written in place. options:
 * {"mode":420,"parents":true}; mode: permissions, else as they were, or 0644; parents: the directories above are made. */
BERTH_API berth_status berth_files_write(berth_sandbox *sandbox, const char *path, size_t path_len, const char *options,
                                         size_t options_len, const char *data, size_t data_len, int32_t fd,
                                         const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* payload: {"name","mode","size","uid","gid","mtime","mtime_ns","target"}: mode as st_mode, mtime in seconds since the epoch, name
 * empty, target that of a symbolic link. Texts that are not UTF-8 are there as name_base64 and target_base64. follow 1: of what a
 * symbolic link leads to. */
BERTH_API berth_status berth_files_stat(berth_sandbox *sandbox, const char *path, size_t path_len, int32_t follow,
                                        const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* payload: a JSON array of such, sorted by name, each name one component of a path. most: more entries are BERTH_E_TOO_BIG; 0:
 * 1000000. */
BERTH_API berth_status berth_files_list(berth_sandbox *sandbox, const char *path, size_t path_len, uint64_t most,
                                        const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* recursive 1: a directory with all that is in it; without it a directory is refused (EISDIR). */
BERTH_API berth_status berth_files_remove(berth_sandbox *sandbox, const char *path, size_t path_len, int32_t recursive,
                                          const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* options: {"mode":493,"parents":true}; parents: with those above, and one that is there is no error. */
BERTH_API berth_status berth_files_make_directory(berth_sandbox *sandbox, const char *path, size_t path_len,
                                                  const char *options, size_t options_len,
                                                  const berth_op_options *op_options, uint64_t *op, berth_error **err);
BERTH_API berth_status berth_files_rename(berth_sandbox *sandbox, const char *from, size_t from_len, const char *to,
                                          size_t to_len, const berth_op_options *op_options, uint64_t *op,
                                          berth_error **err);
/* A file or a tree as a tar (pax) into fd, or as payload, at most `most` bytes of it there (default 1 GiB). options: {"name":"…",
 * "follow":true,"most":bytes}; name: what the names in it begin with, else the last component of the path; ".": what is in the
 * directory alone. Sockets are left out. */
BERTH_API berth_status berth_files_pack(berth_sandbox *sandbox, const char *path, size_t path_len, const char *options,
                                        size_t options_len, int32_t fd, const berth_op_options *op_options,
                                        uint64_t *op, berth_error **err);
/* Unpacks a tar, data or what is read of fd, into a directory. parents 1: one that is not there is made, as a whole or not at all.
 * Names with `..`, and those that lead out of it through symbolic links, are BERTH_E_PERMISSION. */
BERTH_API berth_status berth_files_unpack(berth_sandbox *sandbox, const char *path, size_t path_len, int32_t parents,
                                          const char *data, size_t data_len, int32_t fd,
                                          const berth_op_options *op_options, uint64_t *op, berth_error **err);

#ifdef __cplusplus
}
#endif

#endif
