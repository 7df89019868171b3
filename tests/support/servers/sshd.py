"""An ssh server with a key of its own, for the user who runs the tests: no password, no other key, no other file."""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.servers import ground
from tests.support.servers.ground import Server

_SEPARATION: Final = Path("/run/sshd")
"""An sshd of root's on Linux does not start without it; its package makes it when the machine starts."""
_SETTINGS: Final = """\
ListenAddress 127.0.0.1:{port}
HostKey {own}/host
AuthorizedKeysFile {own}/user.pub
PidFile none
AcceptEnv GIT_PROTOCOL
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
MaxStartups 100
"""
_CLIENT: Final = (
    "ssh -F /dev/null -i {own}/user -o IdentitiesOnly=yes -o IdentityAgent=none -o PreferredAuthentications=publickey "
    "-o UserKnownHostsFile={own}/known -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o LogLevel=ERROR"
)


def missing() -> str:
    """Return what this machine lacks, empty when it lacks nothing."""
    return ", ".join(name for name in ("sshd", "ssh", "ssh-keygen") if ground.program(name) is None)


@contextlib.contextmanager
def an_ssh_server(folder: Path) -> Iterator[Server]:
    """Serve the repositories in `folder`; who has the ssh command is let in."""
    port = ground.a_free_port()
    if os.geteuid() == 0 and _SEPARATION.parent.is_dir():
        _SEPARATION.mkdir(mode=0o755, exist_ok=True)
    with ground.a_short_folder() as own:
        host, _ = _a_key(own / "host"), _a_key(own / "user")
        (own / "known").write_text(f"[127.0.0.1]:{port} {host}\n")
        (own / "settings").write_text(_SETTINGS.format(own=own, port=port))
        argv = [ground.required("sshd"), "-D", "-e", "-f", str(own / "settings")]
        with ground.started(argv, own / "log", listens_at=port):
            user = pwd.getpwuid(os.getuid()).pw_name
            yield Server(f"ssh://{user}@127.0.0.1:{port}{folder}", {"core.sshCommand": _CLIENT.format(own=own)})


def with_another_key(server: Server, folder: Path) -> dict[str, str]:
    """Return the settings of a clone whose key the server does not know; the key is made in `folder`."""
    _a_key(folder / "guess")
    words = server.settings["core.sshCommand"].split()
    words[words.index("-i") + 1] = str(folder / "guess")
    return {"core.sshCommand": " ".join(words)}


def _a_key(path: Path) -> str:
    """Make a key pair and return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])
