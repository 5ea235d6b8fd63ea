#!/usr/bin/env bash
# How close the loader comes to the fastest thing there is: `psql \copy` of the same bytes, already encoded, into the
# same tables, with as many connections, in one run on one server.
#
#   benches/copy_against_psql.sh [SCALE] [CONNECTIONS] [ROUNDS]      default: demo, one per core, 3
#
# Both sides load tables without indexes, WAL on, from an empty table and after a checkpoint. A round loads by each side
# once, in alternating order; rows and seconds of the four large tables are printed for each, and the median ratio.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=${1:-demo} connections=${2:-$(getconf _NPROCESSORS_ONLN)} rounds=${3:-3}
callbench=target/release/callbench
[ -x "$callbench" ] || cargo build --release --locked
psql=$(dirname "$("$callbench" db status --json | sed -n 's/.*"bin": "\(.*\)".*/\1/p')/psql")/psql

admin=$("$callbench" db start 2>/dev/null)
url="${admin%/*}/copy_against_psql"
files=$(mktemp -d)
trap 'rm -rf "$files"; "$psql" -qX "$admin" -c "DROP DATABASE IF EXISTS copy_against_psql WITH (FORCE)"; "$callbench" db stop >/dev/null' EXIT
"$psql" -qX "$admin" -c 'DROP DATABASE IF EXISTS copy_against_psql WITH (FORCE)' -c 'CREATE DATABASE copy_against_psql'
tables='customer call customer_label call_campaign_customer'

# The seconds that the loader's COPY of the four tables took, and their rows.
by_callbench() {
    "$callbench" seed --database-url "$url" --scale "$scale" --connections "$connections" --drop --json |
        python3 -c "
import json, sys
phases = json.load(sys.stdin)['dataset']['phases']
large = [p for p in phases if p['name'] in ['copy ' + t for t in '$tables'.split()]]
print(sum(p['rows'] for p in large), sum(p['seconds'] for p in large))"
}

# The same rows in the same order, split into one file a connection.
export_files() {
    local table pages part
    for table in $tables; do
        pages=$("$psql" -qAtX "$url" -c "SELECT pg_relation_size('$table') / 8192 + 1")
        for part in $(seq 1 "$connections"); do
            "$psql" -qX "$url" -c "\\copy (SELECT * FROM $table WHERE ctid >= '($((pages * (part - 1) / connections)),0)' AND ctid < '($((pages * part / connections)),0)') TO '$files/$table.$part' WITH (FORMAT binary)"
        done
    done
    "$psql" -qX "$url" -c 'CREATE SCHEMA plain'
    for table in $tables; do
        "$psql" -qX "$url" -c "CREATE TABLE plain.$table (LIKE public.$table INCLUDING DEFAULTS)"
    done
}

by_psql() {
    local table part begun total=0
    for table in $tables; do
        "$psql" -qX "$url" -c "TRUNCATE plain.$table" -c CHECKPOINT
        begun=$(date +%s.%N)
        for part in $(seq 1 "$connections"); do
            "$psql" -qX "$url" -c "\\copy plain.$table FROM '$files/$table.$part' WITH (FORMAT binary)" &
        done
        wait
        total=$(echo "$total + $(date +%s.%N) - $begun" | bc)
    done
    echo "$total"
}

by_callbench >/dev/null
export_files
printf '%-8s %12s %14s %14s %8s\n' round rows 'callbench s' 'psql \copy s' ratio
for round in $(seq 1 "$rounds"); do
    if [ $((round % 2)) = 1 ]; then
        ours=$(by_callbench) theirs=$(by_psql)
    else
        theirs=$(by_psql) ours=$(by_callbench)
    fi
    echo "$round $ours $theirs"
done | awk '{ratio[NR] = $4 / $3; printf "%-8d %12d %14.2f %14.2f %8.2f\n", $1, $2, $3, $4, ratio[NR]}
    END {n = asort(ratio); printf "median ratio of rows/s, callbench to psql: %.2f\n", ratio[int((n + 1) / 2)]}'
