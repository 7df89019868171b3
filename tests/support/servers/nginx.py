"""Smart HTTP as it is served: nginx with a password in front of git's http-backend, by way of fcgiwrap."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.servers import ground
from tests.support.servers.ground import Server

USER: Final = "jane"
KNOWN: Final = "open sesame"
"""The one password."""
WORKERS: Final = 4
"""Requests answered at the same time, each by a process of its own: a wrapper with children leaves them behind."""
_SETTINGS: Final = """\
daemon off;
master_process off;
pid {own}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {own}/body;
    fastcgi_temp_path {own}/fastcgi;
    proxy_temp_path {own}/proxy;
    scgi_temp_path {own}/scgi;
    uwsgi_temp_path {own}/uwsgi;
    upstream workers {{
        least_conn;
        {workers}
    }}
    server {{
        listen 127.0.0.1:{port};
        auth_basic "git";
        auth_basic_user_file {own}/passwords;
        location / {{
            fastcgi_pass workers;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {folder};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
        }}
    }}
}}
"""
_HELPER: Final = '!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" {user} "{password}"; }}; f'


def missing() -> str:
    """Return what this machine lacks, empty when it lacks nothing."""
    programs = [name for name in ("nginx", "fcgiwrap") if ground.program(name) is None]
    return ", ".join(programs + ([] if ground.git_program("git-http-backend") else ["git http-backend"]))


def credential_helper(password: str = KNOWN) -> str:
    """Return a credential helper that knows `password`."""
    return _HELPER.format(user=USER, password=password)


@contextlib.contextmanager
def a_webserver(folder: Path) -> Iterator[Server]:
    """Serve the repositories in `folder`; who has the credential helper is let in."""
    port = ground.a_free_port()
    with ground.a_short_folder() as own:
        (own / "passwords").write_text(f"{USER}:{{PLAIN}}{KNOWN}\n")
        backend = ground.git_program("git-http-backend")
        settings = own / "nginx.conf"
        sockets = [f"{own}/{number}" for number in range(WORKERS)]
        workers = " ".join(f"server unix:{each};" for each in sockets)
        settings.write_text(_SETTINGS.format(own=own, port=port, folder=folder, backend=backend, workers=workers))
        server = [ground.required("nginx"), "-p", str(own), "-c", str(settings)]
        with contextlib.ExitStack() as stack:
            for each in sockets:
                worker = [ground.required("fcgiwrap"), "-s", f"unix:{each}"]
                stack.enter_context(ground.started(worker, Path(f"{each}.log"), listens_at=each))
            stack.enter_context(ground.started(server, own / "nginx.log", listens_at=port))
            yield Server(f"http://127.0.0.1:{port}", {"credential.helper": credential_helper()})
