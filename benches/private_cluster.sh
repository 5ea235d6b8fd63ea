# The private cluster of a bench script, in a folder that goes away with the script. To be sourced, after `cd` to the root.
#
#   start_cluster minimal|replica     sets admin (the URL of its database postgres) and bin (the folder of psql)
#   sql URL …                         psql, quiet, unaligned, ended by the first error
#   clock                             now, in seconds with a fraction
#   calc EXPRESSION [DIGITS]          arithmetic with fractions
#   phases                            of the JSON of a seed, as lines: when each kind began and ended, and its rows
#   cached FILE…                      how much of the files is in the page cache, in words
#
# Nothing fails in silence, not in a command substitution either.
shopt -s inherit_errexit
# CALLBENCH names another binary than target/release/callbench.
callbench=${CALLBENCH:-target/release/callbench}
[ -x "$callbench" ] || { echo "$callbench is missing: cargo build --release, or name another one in CALLBENCH" >&2; exit 2; }
command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 2; }

home=$(mktemp -d)
files=$(mktemp -d)
export CALLBENCH_HOME=$home PGOPTIONS="-c client_min_messages=warning"
unset CALLBENCH_DATABASE_URL
finish() {
    local data
    # The data of a cluster that root started may lie outside of the folder.
    data=$("$callbench" db status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"])')
    "$callbench" db stop >/dev/null || true
    rm -rf "$files" "$data" "$home"
}
trap finish EXIT

sql() { "$bin/psql" -qAtX -v ON_ERROR_STOP=1 "$@"; }

# With wal_level minimal by ALTER SYSTEM, so that the server stays in it for both sides.
start_cluster() {
    admin=$("$callbench" db start 2>/dev/null)
    bin=$("$callbench" db status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["bin"])')
    if [ "$1" = minimal ]; then
        sql "$admin" -c "ALTER SYSTEM SET wal_level = 'minimal'" -c 'ALTER SYSTEM SET max_wal_senders = 0'
        "$callbench" db stop >/dev/null
        admin=$("$callbench" db start 2>/dev/null)
    fi
    [ "$(sql "$admin" -c 'SHOW wal_level')" = "$1" ] || { echo "the cluster does not run with wal_level $1" >&2; exit 1; }
}

clock() { date +%s.%N; }

# calc '3 / 4' 1 prints 0.8.
calc() { python3 -c "print(f'{$1:.${2:-2}f}')"; }

cached() {
    local total
    total=$(cat "$@" | wc -c)
    if command -v fincore >/dev/null; then
        fincore --bytes --noheadings --output RES "$@" |
            awk -v total="$total" '{ cached += $1 } END { printf "%.1f of %.1f GB", cached / 1e9, total / 1e9 }'
    else
        printf 'an unknown part of %.1f GB' "$(calc "$total / 1e9")"
    fi
}

# Reads the JSON of `callbench seed --json`; prints `NAME FROM TO ROWS` for each kind of phase: the COPY of all tables as
# one, from the beginning of the first to the end of the last, in seconds. Kinds overlap. Totals are a kind of their own.
phases() {
    python3 -c '
import json, sys
found = {}
for phase in json.load(sys.stdin)["dataset"]["phases"]:
    name = "totals" if phase["name"] == "copy customer_call_stats" else phase["name"].split()[0]
    begin, end = phase["began_seconds"], phase["began_seconds"] + phase["seconds"]
    first, last, rows = found.get(name, (begin, end, 0))
    found[name] = min(first, begin), max(last, end), rows + (phase["rows"] or 0)
for name, (begin, end, rows) in found.items():
    print(name, begin, end, rows)'
}
