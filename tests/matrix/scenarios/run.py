# SPDX-License-Identifier: Apache-2.0
"""Running commands"""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time

from box import KILLED, Box, has, same, scenario


@scenario(cut=True)
def run_prints(box: Box) -> None:
    """`docker run`: output on its own stream, environment, working directory, host name, entry point"""
    done = box.try_docker(
        "run --rm -e COLOUR=red -w /tmp -h inner busybox sh -c", "echo $COLOUR $PWD $(hostname); echo no >&2"
    )
    same((done.code, done.out, done.err), (0, "red /tmp inner", "no"))
    same(box.docker("run --rm --entrypoint /bin/echo busybox instead"), "instead")
    box.docker("run -d --name back busybox sleep 300")
    same(box.docker("ps --format {{.Names}}"), "back")
    same(box.docker("inspect -f {{.State.Running}} back"), "true")


@scenario(cut=True)
def exec_(box: Box) -> None:
    """`docker exec`: output, exit code, user, environment, working directory, detached"""
    box.docker("run -d --name back busybox sleep 300")
    same(box.docker("exec -u 65534 -e A=b -w /tmp back sh -c", 'echo "$(id -u) $A $PWD"'), "65534 b /tmp")
    box.docker("exec back sh -c 'exit 9'", code=9)
    box.docker("exec -d back touch /detached")
    box.until("the detached one has run", lambda: box.try_docker("exec back test -e /detached").code == 0)
    same(box.docker("exec -i back cat", input="through\n"), "through")


@scenario()
def attach(box: Box) -> None:
    """`docker attach` to a running container: its input, its output, its exit code"""
    box.docker("run -di --name back busybox sh -c", "read line; echo got $line; exit 6")
    # Its input stays open: at its end Docker lets go of the output of a container that was started without one.
    words = ["docker", box.id, "--inside", "--", "attach", "back"]
    attached = box.popen(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    attached.stdin.write("this\n")
    attached.stdin.flush()
    same((attached.wait(240), attached.stdout.read()), (6, "got this\n"))
    attached.stdin.close()


@scenario()
def tty(box: Box) -> None:
    """`docker run -it` on a terminal: keys, size and its change, Ctrl-C, exit code"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    words = f"exec -t {box.id} -- docker run --rm -it --name term busybox sh".split()
    shell = box.popen(*words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = ""

    def read_until(part: str, patience: float = 120) -> None:
        nonlocal seen
        os.set_blocking(ours, False)
        end = time.monotonic() + patience
        while part not in seen and time.monotonic() < end:
            try:
                seen += os.read(ours, 4096).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.05)
            except OSError:
                break
        box.log(seen)
        has(seen, part)

    try:
        read_until("# ")
        os.write(ours, b"tty; echo size=$(stty size)\n")
        read_until("/dev/")
        read_until("size=33 99")
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 111, 0, 0))
        os.kill(shell.pid, 28)  # SIGWINCH: the terminal is not this session's
        box.until(
            "the new size",
            lambda: (
                box.try_docker("exec term sh -c", "stty size < /dev/pts/0 || stty size < /dev/console").out == "44 111"
            ),
        )
        os.write(ours, b"sleep 1000\n")
        box.until("it sleeps", lambda: "sleep 1000" in box.try_docker("exec term ps").out)
        os.write(ours, b"\x03")
        os.write(ours, b"echo still=$((6*7))\n")
        read_until("still=42")
        os.write(ours, b"exit 5\n")
        same(shell.wait(120), 5, "the exit code")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@scenario()
def half_close(box: Box) -> None:
    """`docker run -i` and `docker exec -i` see the end of their input and go on to answer"""
    text = "0123456789abcde\n" * 40000
    answered = f"{len(text)}\nand after"
    same(box.docker("run --rm -i busybox sh -c", "wc -c; sleep 1; echo and after", input=text), answered)
    box.docker("run -d --name back busybox sleep 300")
    same(box.docker("exec -i back sh -c", "wc -c; sleep 1; echo and after", input=text), answered)


@scenario()
def logs(box: Box) -> None:
    """`docker logs`, with `--tail`, `--timestamps` and `-f`, which follows and ends with the container"""
    box.docker(
        "run -d --name talker busybox sh -c", "for i in 1 2 3 4 5 6; do echo line $i; echo odd >&2; sleep 0.5; done"
    )
    began = time.monotonic()
    follow = box.popen(
        "docker",
        box.id,
        "--inside",
        "--",
        "logs",
        "-f",
        "talker",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    first = follow.stdout.readline()
    early = time.monotonic() - began
    rest = follow.stdout.read()
    follow.wait(60)
    same((first + rest).splitlines(), [f"line {i}" for i in range(1, 7)])
    same(early < time.monotonic() - began - 0.9, True, "that the first line came while the container ran")
    same(
        box.try_docker("logs --tail 2 talker").out,
        "line 6" if box.try_docker("logs --tail 2 talker").err == "odd" else "?",
    )
    has(box.docker("logs --timestamps talker"), "Z line 1")


@scenario(cut=True)
def exit_codes(box: Box) -> None:
    """Exit codes of `docker run`: the program's, 125 of Docker, 126 and 127 of a program that cannot run, 128 + signal"""
    box.docker("run --rm busybox sh -c 'exit 7'", code=7)
    box.docker("run --rm --no-such-option busybox true", code=125)
    box.docker("run --rm busybox /etc", code=126)
    box.docker("run --rm busybox no-such-program", code=127)
    box.docker("run --rm busybox sh -c 'kill -9 $$'", code=KILLED)
    box.docker("run -d --name ended busybox sh -c 'exit 11'")
    same(box.docker("wait ended"), "11")


@scenario()
def signals(box: Box) -> None:
    """`docker kill -s`, `docker stop` (SIGTERM, then SIGKILL), `--stop-signal`"""
    trap = "trap 'echo one' USR1; trap 'echo term; exit 3' TERM; echo up; while :; do sleep 0.1; done"
    box.docker("run -d --name trapped busybox sh -c", trap)
    box.until("it is up", lambda: "up" in box.try_docker("logs trapped").out)
    box.docker("kill -s USR1 trapped")
    box.until("the signal has come", lambda: "one" in box.try_docker("logs trapped").out)
    box.docker("stop trapped")
    same(box.docker("logs trapped"), "up\none\nterm")
    same(box.docker("inspect -f {{.State.ExitCode}} trapped"), "3")
    box.docker("run -d --name deaf busybox sh -c", "trap '' TERM; while :; do sleep 0.1; done")
    began = time.monotonic()
    box.docker("stop -t 1 deaf")
    same(box.docker("inspect -f {{.State.ExitCode}} deaf"), str(KILLED))
    same(0.9 < time.monotonic() - began < 60, True, "that SIGKILL came after a second")
    box.docker(
        "run -d --name quits --stop-signal QUIT busybox sh -c",
        "trap 'exit 4' QUIT; echo up; while :; do sleep 0.1; done",
    )
    box.until("it is up", lambda: "up" in box.try_docker("logs quits").out)
    box.docker("stop quits")
    same(box.docker("inspect -f {{.State.ExitCode}} quits"), "4")
