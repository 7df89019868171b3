"""Completion of a shell: its script, printed or installed. Candidates come from `exo _complete`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from exo_sidecar.base.files import write_atomic
from exo_sidecar.model.errors import Environment
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

Shell = Literal["bash", "zsh", "fish", "powershell"]

_BASH: Final = """\
# Completion of exo for bash.
_exo() {
    local IFS=$'\\n'
    COMPREPLY=($(exo _complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -F _exo exo
"""
_ZSH: Final = """\
#compdef exo
# Completion of exo for zsh.
_exo() {
    local -a found
    found=("${(@f)$(exo _complete zsh $((CURRENT - 1)) "${words[@]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then _describe exo found; else _files; fi
}
compdef _exo exo
"""
_FISH: Final = """\
# Completion of exo for fish.
complete -c exo -f -a '(exo _complete fish (count (commandline -opc)) (commandline -opc) (commandline -ct) 2>/dev/null)'
"""
_POWERSHELL: Final = """\
# Completion of exo for PowerShell.
Register-ArgumentCompleter -Native -CommandName exo -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    $index = if ($wordToComplete) { $words.Count - 1 } else { $words.Count }
    exo _complete powershell $index @words 2>$null | ForEach-Object {
        $value, $text = $_ -split "`t", 2
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', ($text ?? $value))
    }
}
"""
SCRIPTS: Final[Mapping[str, str]] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}
_BEGIN: Final = "# >>> exo completion >>>"
_END: Final = "# <<< exo completion <<<"
_PROFILE_BYTES_MAX: Final = 1 << 20


class ProfileUnusable(Environment):
    """The shell's own file cannot be read or written."""

    code = "PROFILE_UNUSABLE"
    advice = "exo completion SHELL prints the script: put it where your shell reads it"


class CompletionParams(Params, frozen=True, kw_only=True):
    """What `completion` takes."""

    shell: Annotated[Shell, param("Shell to complete in", positional=True, metavar="SHELL")]
    install: Annotated[bool, param("Install it into the shell's usual file of this user")] = False


class CompletionResult(Result, frozen=True, kw_only=True):
    """The script, and where it was installed."""

    shell: str
    script: str
    path: str | None = None
    state: Literal["printed", "created", "updated", "unchanged"] = "printed"


@operation(Panel.SET_UP, checkout=True, idempotent=True, mcp=False)
def run(ctx: Context, params: CompletionParams) -> CompletionResult:
    """Print or install the completion of a shell.

    Completes commands, options, statuses, and the ids of tickets and sessions. `--install` writes the file that the
    shell reads by itself (bash, fish), or a marked block in its start file (zsh, PowerShell). A second run changes
    nothing.
    """
    script = SCRIPTS[params.shell]
    if not params.install:
        return CompletionResult(shell=params.shell, script=script)
    path = _path(params.shell, ctx.environ)
    before = _read(path)
    after = script if params.shell in {"bash", "fish"} else _with_block(before or "", script)
    if before == after:
        return CompletionResult(shell=params.shell, script=script, path=str(path), state="unchanged")
    if not ctx.dry_run:
        _write(path, after)
    state: Literal["created", "updated"] = "created" if before is None else "updated"
    return CompletionResult(shell=params.shell, script=script, path=str(path), state=state)


def _path(shell: Shell, environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or Path.home())
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    match shell:
        case "bash":
            return data / "bash-completion" / "completions" / "exo"
        case "zsh":
            return Path(environ.get("ZDOTDIR") or home) / ".zshrc"
        case "fish":
            return config / "fish" / "completions" / "exo.fish"
        case "powershell":
            return config / "powershell" / "Microsoft.PowerShell_profile.ps1"


def _with_block(text: str, script: str) -> str:
    """Return a start file's text with our block in it once, everything else as it was."""
    block = f"{_BEGIN}\n{script}{_END}\n"
    head, begin, rest = text.partition(_BEGIN)
    if not begin:
        return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{block}"
    _, end, tail = rest.partition(_END)
    return f"{head}{block}{tail.removeprefix(chr(10))}" if end else f"{head}{block}"


def _read(path: Path) -> str | None:
    try:
        if path.stat().st_size > _PROFILE_BYTES_MAX:
            message = f"{path} is larger than a start file should be"
            raise ProfileUnusable(message)
        return path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read"
        raise ProfileUnusable(message) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path.resolve(), text.encode())
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise ProfileUnusable(message) from error
