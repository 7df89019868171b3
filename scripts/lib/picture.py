"""Draw what `exo demo` shows on a terminal of 132 columns; no picture, and its exit status, when it fails."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS, LINES = 132, 60
THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [(72, 79, 88), (248, 81, 73), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207)],
)
WEB_FONTS = re.compile(r"\s*@font-face \{[^}]*\}")
COMMENT = re.compile(r"\s*<!--[^>]*-->")
FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"


def shown(exo: str, repository: str) -> tuple[int, str]:
    """Run the demonstration on a terminal and return its exit status and what it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    words = [exo, "demo", "--repo", repository]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(words, stdin=nothing, stdout=theirs, stderr=nothing, env=environ) as demo:
        os.close(theirs)
        data = b""
        try:
            while part := os.read(ours, 1 << 16):
                data += part
        except OSError:  # how Linux says that nobody writes any more
            pass
    return demo.returncode, data.decode().replace("\r\n", "\n")


def drawn(text: str) -> str:
    """Return the SVG of a terminal that shows `text`."""
    console = Console(width=COLUMNS, record=True, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text.rstrip()))
    svg = console.export_svg(title="exo demo", theme=THEME, unique_id="exo-demo")
    return COMMENT.sub("", WEB_FONTS.sub("", svg)).replace("Fira Code, monospace", FAMILY)


def main(exo: str, repository: str, target: str) -> int:
    """Draw the demonstration of `repository` into `target`."""
    status, text = shown(exo, repository)
    if status == 0:
        Path(target).write_text(drawn(text))
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
