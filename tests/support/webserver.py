"""A smart HTTP server for tests: git's own http-backend behind Python's server, with or without a password."""

import base64
import contextlib
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path


def has_http_backend() -> bool:
    """Whether this machine's git brings its HTTP server program."""
    return (Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend").exists()


@contextlib.contextmanager
def a_webserver(root: Path, password: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve the repositories in `root`; yield the address and the requests so far, as `METHOD path status`.

    With `password`, only `jane` with that password is let in.
    """
    requests: list[str] = []
    wanted = f"Basic {base64.b64encode(f'jane:{password}'.encode()).decode()}" if password else None

    class Handler(http.server.BaseHTTPRequestHandler):
        """One request, handed to http-backend as CGI."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _serve(self, body: bytes) -> None:
            if wanted and self.headers.get("Authorization") != wanted:
                self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
                return
            path, _, query = self.path.partition("?")
            done = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=True,
                env={
                    **os.environ,
                    "GIT_PROJECT_ROOT": str(root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "REMOTE_USER": "jane",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                },
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self._answer(int(fields.pop("Status", "200").split()[0]), fields, content)

        def _answer(self, status: int, fields: dict[str, str], content: bytes) -> None:
            requests.append(f"{self.command} {self.path} {status}")
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, *_: object) -> None:  # type: ignore[explicit-override]  # typing has it from 3.12 on
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()
            thread.join()
