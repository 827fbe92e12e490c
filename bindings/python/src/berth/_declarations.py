# SPDX-License-Identifier: Apache-2.0
"""What the C headers declare. Made by generate_ffi.py; do not edit."""

from __future__ import annotations

ABI_VERSION = 0

#: Opaque types.
HANDLES: tuple[str, ...] = (
    "berth_error",
    "berth_buffer",
    "berth_spec",
    "berth_runsc",
    "berth_argv",
    "berth_loop",
    "berth_executor",
    "berth_daemon",
    "berth_sandbox",
)

#: name: ((field, type, array length or 0), …)
STRUCTURES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "berth_event": (
        ("size", "uint32_t", 0),
        ("kind", "uint32_t", 0),
        ("op", "uint64_t", 0),
        ("user_data", "uint64_t", 0),
        ("status", "int32_t", 0),
        ("code", "int32_t", 0),
        ("t_mono_ns", "uint64_t", 0),
        ("err", "berth_error*", 0),
        ("payload", "void*", 0),
        ("reserved", "uint64_t", 0),
    ),
    "berth_loop_options": (
        ("struct_size", "uint32_t", 0),
        ("log_level", "int32_t", 0),
        ("user_data", "uint64_t", 0),
        ("queue_limit", "uint64_t", 0),
        ("output_limit", "uint64_t", 0),
        ("reserved", "uint64_t", 4),
    ),
    "berth_op_options": (
        ("struct_size", "uint32_t", 0),
        ("flags", "uint32_t", 0),
        ("user_data", "uint64_t", 0),
        ("deadline_ns", "uint64_t", 0),
        ("reserved", "uint64_t", 3),
    ),
}

#: name: (result, (parameter, …))
FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "berth_version": ("uint32_t", ()),
    "berth_version_string": ("char*", ()),
    "berth_abi_check": ("berth_status", ("uint32_t", "berth_error**")),
    "berth_feature": ("int32_t", ("char*",)),
    "berth_options_json": ("berth_status", ("char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_now_ns": ("uint64_t", ()),
    "berth_status_name": ("char*", ("berth_status",)),
    "berth_error_code": ("berth_status", ("berth_error*",)),
    "berth_error_errno": ("int32_t", ("berth_error*",)),
    "berth_error_message": ("char*", ("berth_error*",)),
    "berth_error_layer": ("char*", ("berth_error*",)),
    "berth_error_path": ("char*", ("berth_error*",)),
    "berth_error_hint": ("char*", ("berth_error*",)),
    "berth_error_detail": ("char*", ("berth_error*",)),
    "berth_error_to_string": ("char*", ("berth_error*",)),
    "berth_error_free": ("void", ("berth_error*",)),
    "berth_buffer_data": ("char*", ("berth_buffer*",)),
    "berth_buffer_size": ("size_t", ("berth_buffer*",)),
    "berth_buffer_free": ("void", ("berth_buffer*",)),
    "berth_spec_parse": ("berth_status", ("char*", "size_t", "berth_spec**", "berth_error**")),
    "berth_spec_load": ("berth_status", ("char*", "size_t", "berth_spec**", "berth_error**")),
    "berth_spec_clone": ("berth_status", ("berth_spec*", "berth_spec**", "berth_error**")),
    "berth_spec_free": ("void", ("berth_spec*",)),
    "berth_spec_to_json": ("berth_status", ("berth_spec*", "berth_buffer**", "berth_error**")),
    "berth_spec_save": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_apply_docker": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_spec_merge": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_diff": ("berth_status", ("berth_spec*", "berth_spec*", "berth_buffer**", "berth_error**")),
    "berth_spec_add_capability": ("berth_status", ("berth_spec*", "char*", "size_t", "uint32_t", "berth_error**")),
    "berth_spec_remove_capability": ("berth_status", ("berth_spec*", "char*", "size_t", "uint32_t", "berth_error**")),
    "berth_spec_set_args": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_cwd": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_env": ("berth_status", ("berth_spec*", "char*", "size_t", "char*", "size_t", "berth_error**")),
    "berth_spec_remove_env": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_hostname": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_root": ("berth_status", ("berth_spec*", "char*", "size_t", "int32_t", "berth_error**")),
    "berth_spec_set_mount": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_remove_mount": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_namespace": ("berth_status", ("berth_spec*", "char*", "size_t", "char*", "size_t", "berth_error**")),  # noqa: E501
    "berth_spec_remove_namespace": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_annotation": ("berth_status", ("berth_spec*", "char*", "size_t", "char*", "size_t", "berth_error**")),  # noqa: E501
    "berth_spec_remove_annotation": ("berth_status", ("berth_spec*", "char*", "size_t", "berth_error**")),
    "berth_spec_set_rlimit": ("berth_status", ("berth_spec*", "char*", "size_t", "uint64_t", "uint64_t", "berth_error**")),  # noqa: E501
    "berth_runsc_probe": ("berth_status", ("char*", "size_t", "char*", "size_t", "berth_runsc**", "berth_error**")),
    "berth_runsc_from_text": ("berth_status", ("char*", "size_t", "char*", "size_t", "berth_runsc**", "berth_error**")),
    "berth_runsc_free": ("void", ("berth_runsc*",)),
    "berth_runsc_to_json": ("berth_status", ("berth_runsc*", "berth_buffer**", "berth_error**")),
    "berth_runsc_has": ("berth_status", ("berth_runsc*", "char*", "size_t", "char*", "size_t", "int32_t*", "berth_error**")),  # noqa: E501
    "berth_argv_build": ("berth_status", ("berth_runsc*", "char*", "size_t", "char*", "size_t", "berth_argv**", "berth_error**")),  # noqa: E501
    "berth_argv_free": ("void", ("berth_argv*",)),
    "berth_argv_count": ("size_t", ("berth_argv*",)),
    "berth_argv_peek": ("char*", ("berth_argv*", "size_t")),
    "berth_argv_to_json": ("berth_status", ("berth_argv*", "berth_buffer**", "berth_error**")),
    "berth_loop_options_init": ("void", ("berth_loop_options*", "size_t")),
    "berth_op_options_init": ("void", ("berth_op_options*", "size_t")),
    "berth_loop_create": ("berth_status", ("berth_loop_options*", "berth_loop**", "berth_error**")),
    "berth_loop_fd": ("berth_status", ("berth_loop*", "int32_t*", "berth_error**")),
    "berth_loop_poll": ("berth_status", ("berth_loop*", "berth_event*", "size_t", "size_t*", "berth_error**")),
    "berth_loop_wait": ("berth_status", ("berth_loop*", "berth_event*", "size_t", "size_t*", "int32_t", "berth_error**")),  # noqa: E501
    "berth_loop_close": ("berth_status", ("berth_loop*", "berth_error**")),
    "berth_loop_free": ("void", ("berth_loop*",)),
    "berth_op_cancel": ("berth_status", ("berth_loop*", "uint64_t", "berth_error**")),
    "berth_event_clear": ("void", ("berth_event*",)),
    "berth_executor_create_host": ("berth_status", ("berth_loop*", "berth_executor**", "berth_error**")),
    "berth_executor_create_runsc": ("berth_status", ("berth_loop*", "char*", "size_t", "berth_executor**", "berth_error**")),  # noqa: E501
    "berth_executor_create_sandbox": ("berth_status", ("berth_sandbox*", "berth_executor**", "berth_error**")),
    "berth_executor_create": ("berth_status", ("berth_loop*", "uint64_t", "berth_executor**", "berth_error**")),
    "berth_executor_free": ("void", ("berth_executor*",)),
    "berth_executor_started": ("berth_status", ("berth_executor*", "uint64_t", "int32_t", "berth_error**")),
    "berth_executor_output": ("berth_status", ("berth_executor*", "uint64_t", "int32_t", "char*", "size_t", "berth_error**")),  # noqa: E501
    "berth_executor_exited": ("berth_status", ("berth_executor*", "uint64_t", "int32_t", "int32_t", "berth_error**")),
    "berth_executor_failed": ("berth_status", ("berth_executor*", "uint64_t", "berth_status", "char*", "size_t", "berth_error**")),  # noqa: E501
    "berth_exec_start": ("berth_status", ("berth_executor*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_exec_write": ("berth_status", ("berth_loop*", "uint64_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_exec_close_stdin": ("berth_status", ("berth_loop*", "uint64_t", "berth_error**")),
    "berth_exec_hold": ("berth_status", ("berth_loop*", "uint64_t", "int32_t", "berth_error**")),
    "berth_exec_signal": ("berth_status", ("berth_loop*", "uint64_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_poll_start": ("berth_status", ("berth_loop*", "berth_executor*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_poll_notify_exit": ("berth_status", ("berth_loop*", "uint64_t", "int32_t", "int32_t", "berth_error**")),
    "berth_daemon_create": ("berth_status", ("berth_executor*", "char*", "size_t", "uint64_t", "berth_daemon**", "berth_error**")),  # noqa: E501
    "berth_daemon_free": ("void", ("berth_daemon*",)),
    "berth_daemon_start": ("berth_status", ("berth_daemon*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_daemon_wait_ready": ("berth_status", ("berth_daemon*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_daemon_stop": ("berth_status", ("berth_daemon*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_daemon_status": ("berth_status", ("berth_daemon*", "berth_buffer**", "berth_error**")),
    "berth_docker_diagnose": ("berth_status", ("char*", "size_t", "berth_runsc*", "berth_buffer**", "berth_error**")),
    "berth_find_init": ("berth_status", ("char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_check_machine": ("berth_status", ("char*", "size_t", "char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_sandbox_create": ("berth_status", ("berth_loop*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "berth_sandbox**", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_attach": ("berth_status", ("berth_loop*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "berth_sandbox**", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_free": ("void", ("berth_sandbox*",)),
    "berth_sandbox_id": ("berth_status", ("berth_sandbox*", "berth_buffer**", "berth_error**")),
    "berth_sandbox_state": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_exec": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_pause": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_resume": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_hibernate": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_ports": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_container_stats": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_egress": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_set_egress": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_diagnose": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_hand_over": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),
    "berth_sandbox_snapshot": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_clone": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_logs": ("berth_status", ("berth_sandbox*", "char*", "size_t", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_annotate": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_wait_stopped": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_start_detached": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_export": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_commit": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_terminate": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_start_docker": ("berth_status", ("berth_sandbox*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_wait_docker": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_docker_status": ("berth_status", ("berth_sandbox*", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_docker_host": ("berth_status", ("berth_sandbox*", "berth_buffer**", "berth_error**")),
    "berth_sandbox_events": ("berth_status", ("berth_sandbox*", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_list": ("berth_status", ("berth_loop*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_sandbox_collect_garbage": ("berth_status", ("berth_loop*", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_snapshot_list": ("berth_status", ("char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_snapshot_remove": ("berth_status", ("char*", "size_t", "char*", "size_t", "berth_error**")),
    "berth_pool_start": ("berth_status", ("berth_loop*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_pool_take": ("berth_status", ("berth_loop*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "berth_sandbox**", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_pool_stop": ("berth_status", ("berth_loop*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_pool_list": ("berth_status", ("char*", "size_t", "berth_buffer**", "berth_error**")),
    "berth_files_read": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_write": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_stat": ("berth_status", ("berth_sandbox*", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_list": ("berth_status", ("berth_sandbox*", "char*", "size_t", "uint64_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_remove": ("berth_status", ("berth_sandbox*", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_make_directory": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_rename": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_pack": ("berth_status", ("berth_sandbox*", "char*", "size_t", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
    "berth_files_unpack": ("berth_status", ("berth_sandbox*", "char*", "size_t", "int32_t", "char*", "size_t", "int32_t", "berth_op_options*", "uint64_t*", "berth_error**")),  # noqa: E501
}

BERTH_OK = 0
BERTH_E_INVALID = -1
BERTH_E_NO_MEMORY = -2
BERTH_E_INTERNAL = -3
BERTH_E_STATE = -4
BERTH_E_CLOSED = -5
BERTH_E_CANCELLED = -6
BERTH_E_TIMEOUT = -7
BERTH_E_AGAIN = -8
BERTH_E_UNSUPPORTED = -9
BERTH_E_FORKED = -10
BERTH_E_TOO_BIG = -11
BERTH_E_NOT_FOUND = -12
BERTH_E_EXISTS = -13
BERTH_E_PERMISSION = -14
BERTH_E_IO = -15
BERTH_E_SPEC_SYNTAX = -20
BERTH_E_SPEC_DUPLICATE_KEY = -21
BERTH_E_SPEC_KEY_CASE = -22
BERTH_E_SPEC_TYPE = -23
BERTH_E_SPEC_TOO_DEEP = -24
BERTH_E_SPEC_TOO_LARGE = -25
BERTH_E_SPEC_PATH = -26
BERTH_E_SPEC_CAPABILITY = -27
BERTH_E_SPEC_ID = -28
BERTH_E_SPEC_NUL = -29
BERTH_E_SPEC_NUMBER = -30
BERTH_E_RUNSC_NOT_FOUND = -40
BERTH_E_RUNSC_FLAG_UNSUPPORTED = -41
BERTH_E_RUNSC_FAILED = -42
BERTH_E_RUNSC_OUTPUT = -43
BERTH_E_SPAWN_FAILED = -60
BERTH_E_PROCESS_EXITED = -61
BERTH_E_NETWORK_FAILED = -62
BERTH_E_MOUNT_FAILED = -63
BERTH_E_SANDBOX_NOT_RUNNING = -64
BERTH_E_RECORD_DAMAGED = -65
BERTH_E_HOSTILE = -66
BERTH_E_DAEMON_NOT_PRESENT = -80
BERTH_E_DAEMON_FAILED = -81
BERTH_E_DAEMON_NOT_READY = -82
BERTH_E_DOCKER_FAILED = -83
BERTH_E_PROBE_FAILED = -100
BERTH_CAP_BOUNDING = 1
BERTH_CAP_EFFECTIVE = 2
BERTH_CAP_PERMITTED = 4
BERTH_CAP_INHERITABLE = 8
BERTH_CAP_AMBIENT = 16
BERTH_CAP_DOCKER = 15
BERTH_EVENT_NONE = 0
BERTH_EVENT_DONE = 1
BERTH_EVENT_STARTED = 2
BERTH_EVENT_OUTPUT = 3
BERTH_EVENT_LOG = 4
BERTH_EVENT_DAEMON_STATE = 5
BERTH_EVENT_DAEMON_LINE = 6
BERTH_EVENT_CLOSED = 7
BERTH_EVENT_SANDBOX = 8
BERTH_EVENT_REQUEST_EXEC = 16
BERTH_EVENT_REQUEST_STDIN = 17
BERTH_EVENT_REQUEST_STDIN_CLOSE = 18
BERTH_EVENT_REQUEST_SIGNAL = 19
BERTH_EVENT_REQUEST_ABANDON = 20
BERTH_LOG_NONE = 0
BERTH_LOG_DEBUG = 1
BERTH_LOG_INFO = 2
BERTH_LOG_WARN = 3
BERTH_LOG_ERROR = 4
BERTH_DAEMON_DISABLED = 0
BERTH_DAEMON_NOT_PRESENT = 1
BERTH_DAEMON_STARTING = 2
BERTH_DAEMON_READY = 3
BERTH_DAEMON_FAILED = 4
BERTH_DAEMON_STOPPED = 5
