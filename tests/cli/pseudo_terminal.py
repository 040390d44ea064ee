# SPDX-License-Identifier: MIT
"""A slabctl at a pseudo terminal, and somebody who types

Its user's argv[1] is the slabctl. Claims that do not hold gather in `failed`.
"""
import atexit
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

try:
    for end in pty.openpty():
        os.close(end)
except OSError as why:
    print(f"skipped: this host gives no pseudo terminal: {why}")
    sys.exit(77)

slabctl = os.path.abspath(sys.argv[1])
home = tempfile.mkdtemp(prefix="slabctl-terminal-")
atexit.register(shutil.rmtree, home, ignore_errors=True)
failed = []
# Seconds; sanitizers and busy hosts take their time: only a hang takes longer.
SLOW = int(os.environ.get("SLAB_PATIENCE", "200"))


class Shell:
    def __init__(self, *args, columns=80, **env):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            for name in ("LC_ALL", "NO_COLOR", "COLUMNS", "LINES"):
                os.environ.pop(name, None)
            os.environ.update(
                TERM="xterm", HOME=home, LC_ALL="C",
                XDG_STATE_HOME=home + "/state",
                XDG_CONFIG_HOME=home + "/config",
            )
            os.environ.update(env)
            os.execv(slabctl, ["slabctl", *args])
        self.resize(columns)
        self.seen = ""
        self.before = ""  # what was expected last
        self.is_closed = False  # nothing more will be seen
        self.begin()

    def begin(self):
        """Until it is slabctl: Ctrl-C would end Python in another way."""
        end = time.time() + SLOW
        while time.time() < end:
            try:
                if os.path.samefile(f"/proc/{self.pid}/exe", slabctl):
                    return
            except OSError:
                return  # it has ended, or is not to be seen
            time.sleep(0.005)

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, seconds):
        r, _, _ = select.select([self.fd], [], [], seconds)
        if not r:
            return False
        try:
            text = os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:
            time.sleep(0.05)  # the other end is closed: always ready
            self.is_closed = True
            return False
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\a", "", text)
        self.seen += text.replace("\r", "")
        return bool(text)

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, what, why=""):
        """Waits until `what` was seen, and forgets all up to its end; what
        came first is in `before`."""
        end = time.time() + SLOW
        while (what not in self.seen and not self.is_closed and
               time.time() < end):
            self.read(0.2)
        if what not in self.seen:
            failed.append(f"{why or 'typed'}: waited for {what!r}, "
                          f"saw {self.seen[-500:]!r}")
            return False
        self.before, self.seen = self.seen.split(what, 1)
        return True

    def busy(self, command):
        """Types a command that does not end, and comes back when it runs."""
        self.type(f"puts <on>; {command}\r")
        self.expect("<on>\n", command)
        time.sleep(0.5)

    def line(self, text, what=None, why=""):
        self.type(text + "\r")
        if what is not None:
            self.expect(what, why or text)
        self.expect("> ", why or text)

    def end(self):
        """The exit status, negative for a signal; what came last is read."""
        end = time.time() + SLOW
        while time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.1):
                    pass
                return os.waitstatus_to_exitcode(status)
            self.read(0.1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


def claim(name, got, want):
    if got != want:
        failed.append(f"{name}: got {got!r}, wanted {want!r}")


def run(*tests):
    """Runs the tests, tells each, and ends the process."""
    for test in tests:
        before = len(failed)
        test()
        print("ok  " if len(failed) == before else "FAIL", test.__name__)
    print("\n".join(failed))
    sys.exit(bool(failed))
