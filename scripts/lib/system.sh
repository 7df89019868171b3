# Sourced by scripts/test: programs that tests of transports need. Nothing is installed on a person's machine; in
# continuous integration, as root, what is missing is installed. A test whose program is missing is skipped and says so.

INSTALL_SECONDS=180

install_missing_programs() {
    local missing=()
    git daemon --help >/dev/null 2>&1 || [ -x "$(git --exec-path)/git-daemon" ] || missing+=(git)
    [ "${#missing[@]}" -eq 0 ] && return 0
    if [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        timeout "$INSTALL_SECONDS" apt-get install -y -q "${missing[@]}" >/dev/null 2>&1 && return 0
    fi
    printf 'test: not here, tests that need it are skipped: %s\n' "${missing[*]}" >&2
}
