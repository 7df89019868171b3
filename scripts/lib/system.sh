# Sourced by scripts/test: servers and their tools that tests of transports need. In continuous integration, and for
# root, what is missing is installed where apt-get is; on a person's machine it is only named. A test whose program is
# missing is skipped and says so.

INSTALL_SECONDS=300

# Print the packages that bring what is missing, one a line.
missing_packages() {
    local path="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    [ -x "$(git --exec-path)/git-daemon" ] && [ -x "$(git --exec-path)/git-http-backend" ] || echo git
    PATH="$path" command -v nginx >/dev/null || echo nginx-light
    PATH="$path" command -v fcgiwrap >/dev/null || echo fcgiwrap
    PATH="$path" command -v sshd >/dev/null || echo openssh-server
    PATH="$path" command -v ssh >/dev/null && PATH="$path" command -v ssh-keygen >/dev/null || echo openssh-client
}

# Run apt-get as root, asking nothing; 1 where that is not possible. Lists are fetched only when an install needs them.
apt_install() {
    local as_root=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive timeout -k 10 "$INSTALL_SECONDS" apt-get -q)
    "${as_root[@]}" install -y --no-install-recommends "$@" && return 0
    "${as_root[@]}" update && "${as_root[@]}" install -y --no-install-recommends "$@"
}

install_missing_programs() {
    local missing
    missing="$(missing_packages)"
    [ -n "$missing" ] || return 0
    if [ "${CI:-}" = true ] || [ "$(id -u)" -eq 0 ]; then
        # One package a line, so splitting is meant.
        # shellcheck disable=SC2086
        apt_install $missing >/dev/null 2>&1 </dev/null || true
        missing="$(missing_packages)"
        [ -n "$missing" ] || return 0
    fi
    printf 'test: not here, tests that need it are skipped: %s\n' "$(echo $missing)" >&2
}
