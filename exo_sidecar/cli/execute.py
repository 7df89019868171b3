"""One call: open a context, run the operation, write its answer. Used by both parsers of a command line."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.cli import text
from exo_sidecar.cli.options import Given
from exo_sidecar.cli.terminal import Streams, Terminal
from exo_sidecar.model.errors import INTERRUPTED, ExoError, Usage, ValueInvalid
from exo_sidecar.operations import afterwards, answer, keepalive
from exo_sidecar.operations.context import Context, Warned
from exo_sidecar.operations.parameters import parameters, read
from exo_sidecar.operations.registry import Operation, Result, invoke

STDIN_CHARACTERS_MAX: Final = 1 << 20
"""More than any text that a record may hold; a longer input is a mistake, and is not read into memory."""
PIPE_CLOSED: Final = 141
"""What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE)."""


class Call(NamedTuple):
    """A parsed command line, and what is around it."""

    operation: Operation
    values: Mapping[str, object]
    common: Given
    environ: Mapping[str, str]
    cwd: Path


def execute(call: Call, terminal: Terminal) -> int:
    """Run the call, write its answer, return the exit status; raises the ExoError that it ends with."""
    values = _with_stdin(call, terminal)
    params = read(call.operation, values, spelled="flag")
    common = call.common
    with Context.open(
        common.folder(call.cwd),
        actor=common.actor,
        session=common.session,
        environ=call.environ,
        dry_run=common.dry_run,
        offline=common.offline,
        yes=common.yes or _confirmed(call, terminal),
        interactive=terminal.interactive,
        progress=terminal.progress,
    ) as ctx:
        try:
            result = invoke(ctx, call.operation, params)
        except ExoError as error:
            keepalive.tell(ctx, call.operation)
            keepalive.refused(ctx, error)
            _warn([each for each in ctx.warnings if error.message not in each.message], terminal)
            keepalive.keep(ctx, call.operation)
            raise
        afterwards.share(ctx, call.operation)
        keepalive.tell(ctx, call.operation)
        _warn(ctx.warnings, terminal)
        if terminal.json:
            terminal.say(answer.encode(answer.success(result, ctx.warnings), indent=terminal.color))
        else:
            text.answer(call.operation, result, terminal, dry_run=common.dry_run)
        keepalive.keep(ctx, call.operation)
        afterwards.pack(ctx, call.operation)
    return _status(call.operation, result)


def _warn(warnings: Sequence[Warned], terminal: Terminal) -> None:
    if not terminal.json and not terminal.quiet:
        terminal.aside(text.warnings(warnings, color=terminal.color_aside))


def guarded(
    argv: Sequence[str], cwd: Path, streams: Streams, terminal: Callable[[], Terminal], work: Callable[[], int]
) -> int:
    """Run `work` and turn whatever it ends with into an exit status: the door's one broad except is here."""
    try:
        try:
            status = work()
        except ExoError as error:
            status = _failed(error, terminal())
        except (KeyboardInterrupt, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the one way out of this door
            from exo_sidecar.operations.incident import reported  # noqa: PLC0415 - traceback and tempfile are not small

            status = _failed(reported(error, argv, cwd), terminal())
        streams.stdout.flush()
    except KeyboardInterrupt:
        streams.stderr.write("\ninterrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        return PIPE_CLOSED
    return status


def _failed(error: ExoError, terminal: Terminal) -> int:
    if terminal.json:
        terminal.say(answer.encode(answer.failure(error), indent=terminal.color))
    else:
        terminal.aside(text.error(error, color=terminal.color_aside, hint=not terminal.quiet))
    return error.exit_status


def _status(operation: Operation, result: Result) -> int:
    verdict = getattr(result, "verdict", None)
    return operation.fail_status if verdict == "fail" or (operation.gate and verdict == "none") else 0


def _confirmed(call: Call, terminal: Terminal) -> bool:
    if not call.operation.destructive or call.common.dry_run or not terminal.interactive:
        return False
    return terminal.confirm(f"{call.operation.name}: {call.operation.summary} Go on?")


def _with_stdin(call: Call, terminal: Terminal) -> Mapping[str, object]:
    """Return the values, `-` replaced by standard input where the parameter allows it, and all of them valid text."""
    _refuse_half_characters(call.values)
    asked = [each for each in parameters(call.operation) if each.stdin and call.values.get(each.name) in {"-", ("-",)}]
    if not asked:
        return call.values
    if len(asked) > 1:
        message = f"{' and '.join(each.flag for each in asked)} cannot both read standard input"
        raise Usage(message)
    given = _read_stdin(terminal)
    return {**call.values, asked[0].name: [given] if asked[0].many else given}


def _read_stdin(terminal: Terminal) -> str:
    hint = f"give it text in UTF-8, of at most {STDIN_CHARACTERS_MAX} characters"
    try:
        given = terminal.streams.stdin.read(STDIN_CHARACTERS_MAX + 1)
        given.encode()  # under some locales bytes that are no text arrive as half characters
    except UnicodeError as error:
        message = "standard input is not UTF-8 text"
        raise ValueInvalid(message, hint=hint) from error
    if len(given) > STDIN_CHARACTERS_MAX:
        message = f"standard input is longer than {STDIN_CHARACTERS_MAX} characters"
        raise ValueInvalid(message, hint=hint)
    return given.removesuffix("\n")


def _refuse_half_characters(values: Mapping[str, object]) -> None:
    for name, value in values.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, str) and not each.isascii() and each.encode(errors="replace").decode() != each:
                message = f"the value of {name} is not UTF-8 text"
                raise ValueInvalid(message, parameter=name)
