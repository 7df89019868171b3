"""The program `exo`: the first word picks the door, so that a plain call imports no more than it needs."""

import sys

PIPE_CLOSED = 141
"""What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE)."""


def main(argv: list[str] | None = None) -> int:
    """Run `exo` with `argv` (default: the process's own) and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    try:
        status = _picked(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        status = PIPE_CLOSED
    if status == PIPE_CLOSED:
        _detach()
    return status


def _picked(words: list[str]) -> int:
    if words == ["--version"]:
        from exo_sidecar import __version__

        print(f"exo {__version__}")
        return 0
    import os

    match words[:1]:
        case ["mcp"]:
            from exo_sidecar.mcp.server import serve

            return serve(words[1:], os.environ)
        case ["_complete"]:
            from exo_sidecar.cli.completion import complete

            return complete(words[1:], os.environ)
        case ["hook"]:
            from exo_sidecar.hooks.commit_message import attempt as sign

            status = sign(words, os.environ)
            if status is not None:
                return status
        case _:
            pass
    from exo_sidecar.cli.main import main as command_line

    return command_line(words, os.environ)


def _detach() -> None:
    """Point stdout to nowhere: the reader went away, and the interpreter's last flush must not complain."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())
