"""What every client of ours remembers and dulwich's do not: what the server can do, and what is still open.

Imports dulwich.client: only transports import this module.
"""

import sys

from dulwich.client import GitClient
from dulwich.protocol import Protocol

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override  # dulwich brings it there


class Noting(GitClient):
    """Remembers what dulwich forgets: what the server said it can do, and what is to be closed when it hangs up."""

    server_capabilities: frozenset[bytes] = frozenset()
    opened: Protocol | None = None

    @override
    def close(self) -> None:
        """Close what is still open; a server that hangs up at once leaves its connection to us."""
        if self.opened is not None:
            self.opened.close()

    @override
    def _negotiate_receive_pack_capabilities(self, server_capabilities: set[bytes]) -> tuple[set[bytes], bytes | None]:
        self.server_capabilities = frozenset(server_capabilities)
        return super()._negotiate_receive_pack_capabilities(server_capabilities)
