# Sourced by every script: where the repository is, how to say what is wrong, what `--help` prints.

set -euo pipefail
unset CDPATH
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
cd "$root"
bin="$root/.venv/bin"

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# The comment block below the first line of a script is its help.
help_if_asked() {
    for word in "$@"; do
        case "$word" in
            -h | --help)
                sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"
                exit 0
                ;;
        esac
    done
}
