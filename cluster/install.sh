#!/usr/bin/env bash
# Installs the programs that callbench runs for itself, where that is allowed: PostgreSQL 15 or newer with contrib,
# Redis 7 or newer, and a C compiler for the TLS library of the HTTP client. Nothing is asked; what can't be installed
# is named in one sentence.
set -euo pipefail

fail() { printf 'callbench: %s\n' "$1" >&2; exit 2; }

# The folder with the binaries of the newest PostgreSQL, in the order in which callbench looks for it.
postgres_bin() {
    local folder
    for folder in "${CALLBENCH_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
        $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn) \
        $(ls -d /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin 2>/dev/null | sort -t@ -k2 -rn) \
        $(ls -d /usr/pgsql-*/bin 2>/dev/null | sort -t- -k2 -rn) /usr/local/pgsql/bin \
        "$(dirname "$(command -v postgres || echo /nonexistent/postgres)")"; do
        [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
        [ "$("$folder/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')" -ge 15 ] || continue
        printf '%s\n' "$folder"
        return
    done
}

# Debian keeps contrib in the server's package; elsewhere it may be missing.
has_postgres() {
    local bin
    bin=$(postgres_bin)
    [ -n "$bin" ] || return 1
    [ ! -x "$bin/pg_config" ] || [ -e "$("$bin/pg_config" --sharedir)/extension/pg_stat_statements.control" ]
}

has_redis() {
    local program
    program=${CALLBENCH_REDIS_BIN:-$(command -v redis-server || true)}
    [ -n "$program" ] && [ "$("$program" --version | sed 's/.*v=\([0-9]*\).*/\1/')" -ge 7 ]
}

has_compiler() { command -v cc >/dev/null; }

missing=()
has_postgres || missing+=(postgresql)
has_redis || missing+=(redis)
has_compiler || missing+=(compiler)

if [ ${#missing[@]} -gt 0 ]; then
    words='PostgreSQL 15 or newer with contrib, Redis 7 or newer, and a C compiler'
    case "$(uname -s)" in
    Darwin)
        command -v brew >/dev/null || fail "please install $words (Homebrew would do it: postgresql@16, redis)."
        for what in "${missing[@]}"; do
            case $what in
            postgresql) brew install postgresql@16 ;;
            redis) brew install redis ;;
            compiler) fail 'please install the command line tools with: xcode-select --install' ;;
            esac
        done
        ;;
    Linux)
        command -v apt-get >/dev/null || fail "please install $words with your package manager."
        if [ "$(id -u)" = 0 ]; then as_root=''; elif sudo -n true 2>/dev/null; then as_root='sudo'; else
            fail "please install what is missing: sudo apt-get install postgresql redis-server gcc"
        fi
        export DEBIAN_FRONTEND=noninteractive
        packages=()
        for what in "${missing[@]}"; do
            case $what in
            postgresql) packages+=(postgresql) ;;
            redis) packages+=(redis-server) ;;
            compiler) packages+=(gcc libc6-dev) ;;
            esac
        done
        printf 'Installing %s …\n' "${packages[*]}"
        $as_root apt-get update -qq
        # The packages would start servers of their own; callbench needs only the programs.
        quiet=/etc/postgresql-common/createcluster.d/callbench.conf
        $as_root mkdir -p "$(dirname "$quiet")"
        echo 'create_main_cluster = false' | $as_root tee "$quiet" >/dev/null
        trap '$as_root rm -f "$quiet"' EXIT
        $as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
        if [[ " ${packages[*]} " == *' redis-server '* ]] && [ -d /run/systemd/system ]; then
            $as_root systemctl disable --now --quiet redis-server || true
        fi
        ;;
    *) fail "please install $words." ;;
    esac
fi

has_postgres || fail "PostgreSQL 15 or newer with contrib is needed and this system's packages have none: \
please install one (postgresql.org/download) or name its folder in CALLBENCH_PG_BIN."
has_redis || fail "Redis 7 or newer is needed and this system's packages have none: \
please install one (redis.io/download) or name the program in CALLBENCH_REDIS_BIN."
has_compiler || fail 'a C compiler is needed: please install gcc or clang.'
