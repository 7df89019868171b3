"""A bad line: a TCP proxy before a server, which waits, hangs up, or loses the answer to a push, as it is told.

It knows the two protocols well enough to tell a push apart: in git's own, whatever the client says after the refs were
shown; in HTTP, the POST. A line is as bad as told for a number of pushes and good again after that.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Fault: TypeAlias = Literal["none", "delay", "cut", "lost-request", "lost-reply"]
"""Nothing; wait before every answer; hang up after so many bytes of the client's; lose the push; lose its answer."""
_BYTES: Final = 65536
_IDLE_SECONDS: Final = 60.0


@dataclass
class Line:
    """What the line does; may be changed at any moment, and holds for the connections that begin after that."""

    fault: Fault = "none"
    times: int = 1
    """How many pushes fare so."""
    seconds: float = 0.0
    """How long a delay is."""
    cut_after: int = 0
    """How many bytes of the client's pass before the line is cut."""
    dead_after: bool = False
    """Whether nobody gets through any more once a fault happened; `heal` ends that."""
    happened: int = 0
    dead: bool = False
    heard: int = 0
    """How many bytes the server sent."""
    stop: threading.Event = field(default_factory=threading.Event)

    def heal(self) -> None:
        """Make the line good."""
        self.fault, self.dead = "none", False

    def strike(self) -> bool:
        """Whether a fault is due now; counts it."""
        if self.fault == "none" or self.happened >= self.times:
            return False
        self.happened += 1
        self.dead = self.dead_after
        return True


@contextlib.contextmanager
def a_line(port: int) -> Iterator[tuple[int, Line]]:
    """Forward connections to `port` of loopback; yield the port to use instead, and the line."""
    line = Line()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while not line.stop.is_set():
                if not select.select([listener], [], [], 0.05)[0]:
                    continue
                near, _ = listener.accept()
                thread = threading.Thread(target=_serve, args=(near, port, line), daemon=True)
                thread.start()
                threads.append(thread)

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1], line
        finally:
            line.stop.set()
            accepting.join()
            for thread in threads:
                thread.join(_IDLE_SECONDS)


def _serve(near: socket.socket, port: int, line: Line) -> None:
    with near, contextlib.suppress(OSError):
        if line.dead:
            return
        with socket.create_connection(("127.0.0.1", port)) as far:
            _Conversation(near, far, line).run()


class _Conversation:
    """One connection through the line."""

    def __init__(self, near: socket.socket, far: socket.socket, line: Line) -> None:
        self._near, self._far, self._line = near, far, line
        self._said = bytearray()
        self._answered = False
        self._deaf = False
        """The push went through, and its answer is being lost."""

    def run(self) -> None:
        """Forward both ways until one side ends, or the fault does."""
        open_ends = [self._near, self._far]
        while not self._line.stop.is_set():
            for ready in select.select(open_ends, [], [], 0.05)[0]:
                data = ready.recv(_BYTES)
                if ready is self._far:
                    if not self._hear(data):
                        return
                elif not data:
                    # The client is done talking; the answer may still be on its way.
                    open_ends.remove(self._near)
                    self._far.shutdown(socket.SHUT_WR)
                elif not self._say(data):
                    return

    def _say(self, data: bytes) -> bool:
        """Pass on what the client says; whether the line still stands."""
        line = self._line
        begins = self._begins_push(data)
        self._said += data
        if line.fault == "cut" and len(self._said) > line.cut_after and line.strike():
            return False
        if begins and line.fault == "lost-request" and line.strike():
            return False
        if begins and line.fault == "lost-reply" and line.strike():
            self._deaf = True
        self._far.sendall(data)
        return True

    def _begins_push(self, data: bytes) -> bool:
        if bytes((self._said + data)[:5]) in {b"GET /", b"POST "}:
            return data.startswith(b"POST ") and b"git-receive-pack" in data
        # An empty list of changes ("0000") is a client that only looked.
        return self._answered and b"git-receive-pack" in self._said[:64] and data != b"0000"

    def _hear(self, data: bytes) -> bool:
        """Pass on what the server says; whether the line still stands."""
        self._answered = True
        self._line.heard += len(data)
        if self._deaf:
            # Whoever has said all has done all: a report comes after the refs were changed.
            return bool(data) and not data.endswith(b"0\r\n\r\n")
        if self._line.fault == "delay":
            self._line.stop.wait(self._line.seconds)
        if data:
            self._near.sendall(data)
        return bool(data)
