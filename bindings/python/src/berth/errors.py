# SPDX-License-Identifier: Apache-2.0
"""What went wrong, as exceptions. The names follow what users of such systems know."""

from __future__ import annotations

import itertools
import re
from typing import Any

from ._options import HINTS

#: Ids of sandboxes, names of snapshots.
_NAME = r"([A-Za-z0-9_.+-]+)"
_WORDS = [(re.compile(re.escape(says).replace(re.escape("{}"), _NAME)), here) for says, here in HINTS]


def in_own_words(text: str) -> str:
    """The library's words for what is to be done, which hold for every front end, in those of this package."""
    for says, here in _WORDS:
        text = says.sub(lambda found, here=here: here.replace("{}", found[1]) if found.re.groups else here, text)  # type: ignore[misc]
    return text


class BerthError(Exception):
    """An error of berth's. `code` is the number of the C ABI (0: raised by Python code), `code_name` its name, `layer`
    where it arose, `path` a JSON pointer, file or flag, `hint` what to do, `detail` longer evidence, `errno` that of
    the system call that failed, or 0."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        code_name: str = "",
        layer: str = "",
        path: str = "",
        hint: str = "",
        detail: str = "",
        errno: int = 0,
    ) -> None:
        super().__init__(message)
        self.errno: int | None
        self.message = message
        self.code = code
        self.code_name = code_name
        self.layer = layer
        self.path = path
        self.hint = in_own_words(hint)
        self.detail = detail
        self.errno = errno

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        text = f"{self.layer}: {self.message}" if self.layer else self.message
        if self.path:
            text += f" ({self.path})"
        if self.hint:
            text += f"; {self.hint}"
        if self.detail:
            text += f"\n{self.detail}"
        return text


class BerthWarning(UserWarning):
    """Something goes on that was most likely not meant."""


def _rebuild(kind: type[BerthError], args: tuple[Any, ...], fields: dict[str, Any]) -> BerthError:
    """For pickle, whatever the arguments of a kind's __init__ are."""
    made = kind.__new__(kind, *args)
    made.args = args
    made.__dict__.update(fields)
    return made


class ImageError(BerthError):
    """An image could not be had or built."""


class ImageNotFound(ImageError):
    """No such image in the registry, or in the sandbox's Docker."""


class InvalidError(BerthError, ValueError):
    """An argument is malformed or contradicts another."""


class SpecError(InvalidError):
    """An OCI runtime spec is not what it must be; `path` is a JSON pointer."""


class NotFoundError(BerthError, LookupError):
    """No such sandbox, file or program."""


class AccessError(BerthError, PermissionError):
    """Not allowed; most of berth needs root."""


class WaitTimeoutError(BerthError, TimeoutError):
    """What was waited for did not come in time."""


class RunscError(BerthError):
    """runsc is missing, failed, or is too old."""


class SandboxError(BerthError):
    """A sandbox, its network or a process of it failed."""


class SandboxNotFound(SandboxError, NotFoundError):
    """No sandbox of this id, or it was removed."""


class SandboxFileNotFound(SandboxError, FileNotFoundError):
    """No such file in the sandbox."""


class DockerError(BerthError):
    """Something about Docker in a sandbox."""


class DockerNotReadyError(DockerError, TimeoutError):
    """Docker is not ready: `state` is that of the supervisor, `reason` says why in a line, `log_tail` holds dockerd's
    last lines, `hint_id` names the known symptom, if it is one."""

    def __init__(
        self,
        message: str,
        *,
        state: str = "",
        reason: str = "",
        log_tail: str = "",
        hint_id: str = "",
        hint: str = "",
        code: int = 0,
        code_name: str = "",
    ) -> None:
        super().__init__(message, layer="docker", hint=hint, detail=log_tail, code=code, code_name=code_name)
        self.state = state
        self.reason = reason
        self.log_tail = log_tail
        self.hint_id = hint_id


class DockerCommandError(DockerError):
    """A docker command failed. Its words are stderr's, or stdout's where it said nothing there, as docker exec does.
    Where they show a known failure, `hint_id` names it, and `hint` has its cause and what to do."""

    def __init__(
        self, command: list[str], exit_code: int, stderr: str, stdout: str = "", *, hint_id: str = "", hint: str = ""
    ) -> None:
        # No options: their values may be secrets.
        words = " ".join(itertools.takewhile(lambda word: not word.startswith("-"), command[:3]))
        said = (stderr.strip() or stdout.strip())[-2000:]
        message = f"`{words}` exited with {exit_code}" + (f": {said}" if said else "")
        super().__init__(message, layer="docker", hint=hint)
        self.hint_id = hint_id
        self.command = command
        self.exit_code = exit_code
        self.stderr = stderr


class DockerImageNotFound(DockerCommandError, ImageNotFound):
    """A docker command failed because it found no such image."""


#: By the names of the C ABI's codes, so that a code newer than this file falls to its range, then to BerthError.
_BY_NAME: dict[str, type[BerthError]] = {
    "invalid": InvalidError,
    "not_found": NotFoundError,
    "permission": AccessError,
    "timeout": WaitTimeoutError,
    "daemon_not_ready": WaitTimeoutError,
}
_BY_RANGE: tuple[tuple[int, int, type[BerthError]], ...] = (
    (-39, -20, SpecError),
    (-59, -40, RunscError),
    (-79, -60, SandboxError),
    (-99, -80, DockerError),
)


def error_class(code: int, code_name: str) -> type[BerthError]:
    """Which exception a code becomes."""
    if found := _BY_NAME.get(code_name):
        return found
    for low, high, kind in _BY_RANGE:
        if low <= code <= high:
            return kind
    return BerthError
