#!/usr/bin/env bash
# How close the loader comes to the fastest thing there is: `psql \copy` of the same bytes, already encoded, into the
# same tables, with as many connections, in one run on one server.
#
#   benches/copy_against_psql.sh [SCALE] [CONNECTIONS] [ROUNDS]      default: demo, one per core, 3
#
# Both sides load the four large tables without indexes, WAL on, each from an empty table. A round loads by each side
# once, in alternating order; a checkpoint stands before each load. Printed: rows and seconds of both, and the ratio of
# their rows/s, of which the median counts. Needs the release binary, bc and python3.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=${1:-demo} connections=${2:-$(getconf _NPROCESSORS_ONLN)} rounds=${3:-3}
callbench=target/release/callbench
tables='customer customer_label call_campaign_customer call'

files=$(mktemp -d)
home=$(mktemp -d)
export CALLBENCH_HOME=$home PGOPTIONS="-c client_min_messages=warning"
finish() {
    "$callbench" db stop >/dev/null || true
    rm -rf "$files" "$home"
}
trap finish EXIT

admin=$("$callbench" db start 2>/dev/null)
bin=$("$callbench" db status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["bin"])')
ours=${admin/\/postgres/\/ours} plain=${admin/\/postgres/\/plain}
sql() { "$bin/psql" -qAtX -v ON_ERROR_STOP=1 "$@"; }

# A load from nothing; prints the rows and the seconds of the COPY of the large tables.
by_callbench() {
    sql "$admin" -c 'DROP DATABASE IF EXISTS ours' -c 'CREATE DATABASE ours' -c CHECKPOINT
    "$callbench" seed --database-url "$ours" --scale "$scale" --connections "$connections" --json 2>/dev/null |
        python3 -c "
import json, sys
phases = json.load(sys.stdin)['dataset']['phases']
large = [p for p in phases if p['name'] in ['copy ' + t for t in '$tables'.split()]]
print(sum(p['rows'] for p in large), max(p['began_seconds'] + p['seconds'] for p in large))"
}

# The same rows in the same physical order, one file a table and connection, and empty tables of the same shape.
export_rows() {
    local table pages part
    sql "$admin" -c 'CREATE DATABASE plain'
    sql "$ours" -c "SELECT 1" >/dev/null
    "$bin/pg_dump" --schema-only --section=pre-data --schema=public "$ours" | grep -v '^CREATE SCHEMA' | sql "$plain" >/dev/null
    for table in $tables; do
        pages=$(sql "$ours" -c "SELECT pg_relation_size('public.$table') / 8192 + 1")
        for part in $(seq 1 "$connections"); do
            sql "$ours" -c "\\copy (SELECT * FROM public.$table WHERE ctid >= '($((pages * (part - 1) / connections)),0)' AND ctid < '($((pages * part / connections)),0)') TO '$files/$table.$part' WITH (FORMAT binary)"
        done
    done
    cat "$files"/* >/dev/null # into the page cache
}

# Prints the seconds that psql takes for the same tables, one after the other.
by_psql() {
    local table part begun total=0
    for table in $tables; do sql "$plain" -c "TRUNCATE public.$table"; done
    sql "$plain" -c CHECKPOINT
    for table in $tables; do
        begun=$(date +%s.%N)
        for part in $(seq 1 "$connections"); do
            sql "$plain" -c "\\copy public.$table FROM '$files/$table.$part' WITH (FORMAT binary)" &
        done
        wait
        total=$(echo "$total + $(date +%s.%N) - $begun" | bc)
    done
    echo "$total"
}

by_callbench >/dev/null
export_rows
printf '%s connections, %s of binary rows\n' "$connections" "$(du -sh "$files" | cut -f1)"
printf '%-6s %10s %12s %12s %7s\n' round rows callbench 'psql \copy' ratio
for round in $(seq 1 "$rounds"); do
    if [ $((round % 2)) = 1 ]; then
        read -r rows a < <(by_callbench)
        b=$(by_psql)
    else
        b=$(by_psql)
        read -r rows a < <(by_callbench)
    fi
    ratio=$(echo "scale=3; $b / $a" | bc)
    printf '%-6s %10s %10.2f s %10.2f s %7.2f\n' "$round" "$rows" "$a" "$b" "$ratio"
    echo "$ratio" >>"$files/ratios"
done
printf 'median ratio of rows/s: %s\n' "$(sort -n "$files/ratios" | sed -n "$(((rounds + 1) / 2))p")"
