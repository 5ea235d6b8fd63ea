#!/usr/bin/env bash
# A whole load by callbench against the same SQL by hand, one after the other on one server: COPY, totals, indexes, keys,
# VACUUM (ANALYZE).
#
#   benches/seed_against_hand.sh [--logged] [--server-files] [SCALE] [LEVEL] [CONNECTIONS]
#                                             default: demo, before, one per core
#
# By hand is psql with everything that somebody who knows PostgreSQL well does on a cluster that can be filled again: the
# rows lie ready in files of COPY's binary format (`callbench seed --export`), so that nothing is generated; tables have no
# indexes while they are filled; wal_level is minimal, and each table is emptied and filled, frozen, in one transaction,
# which then writes no log; tables are filled at the same time, the largest first; so are indexes, the slow ones first, with
# the memory and the flushing that callbench gives them; the totals are computed into an empty table that has no key yet, by the statement of
# migrations/sql/totals/up.sql; the triggers come last.
#
#   --logged        wal_level replica for both sides; by hand: the parts of one table over all connections, no FREEZE
#   --server-files  by hand, the server reads the files itself (COPY … FROM 'file'), which spares psql's work
#
# Neither export nor start and stop of the server are timed. A checkpoint stands before each load. The files are dropped
# from the disk before the other side runs, and so is the database of the first side: `enterprise` needs 14 GB for the
# files and 25 GB for a database, and as much as its largest index to sort. Printed: when each phase began and ended, and the
# ratio of the whole (above 1: by hand is faster). The whole of callbench is that of the process, plan and migrations included.
set -euo pipefail
cd "$(dirname "$0")/.."
wal_level=minimal copy='\copy'
while [[ ${1:-} == --* ]]; do
    case $1 in
    --logged) wal_level=replica ;;
    --server-files) copy=COPY ;;
    *) echo "usage: $0 [--logged] [--server-files] [SCALE] [LEVEL] [CONNECTIONS]" >&2; exit 2 ;;
    esac
    shift
done
scale=${1:-demo} level=${2:-before}
connections=${3:-$(getconf _NPROCESSORS_ONLN)}
as_of=$(date -u +%F)
source benches/private_cluster.sh
start_cluster "$wal_level"
plain=${admin/\/postgres/\/plain}

# --- The rows, in files. ---

chmod 755 "$files"
"$callbench" seed --scale "$scale" --level "$level" --as-of "$as_of" --export "$files/rows" --format binary \
    >"$files/notes" 2>&1 || { cat "$files/notes" >&2; exit 1; }
# Which part belongs to which table, and the columns in the files, stand in the script of the export.
eval "$(sed -n '/^columns()/,/^}/p; /^parts()/,/^}/p' "$files/rows/load.sh")"

# --- By hand. ---

# Gives each line of the input to a psql of its own, as a statement (-c) or as a file (-f), as many at once as there are
# connections. Fails when one fails.
at_once() { tr '\n' '\0' | xargs -0 -n 1 -P "$connections" "$bin/psql" -AtX -v ON_ERROR_STOP=1 "$plain" "$1"; }

# The tables of the files, the largest first. The totals are computed by hand, even where the export has them.
tables() {
    parts | awk '$2 != "customer_call_stats" { bytes[$2] += $4 } END { for (table in bytes) print bytes[table], table }' |
        sort -nr | cut -d ' ' -f 2
}

copy_statement() { # PART TABLE OPTIONS
    echo "$copy public.$2 ($(columns "$2")) FROM '$files/rows/$1' WITH (FORMAT binary$3)"
}

# One table in one transaction: nobody else may fill a table that was emptied in a transaction that is not over.
fill_in_one_go() { # TABLE
    local part table end=
    [ "$copy" != COPY ] || end=';'
    echo "BEGIN; TRUNCATE public.$1;"
    parts | while read -r part table _; do
        # The statement COPY ends with a semicolon, and psql's \copy with its line.
        [ "$table" != "$1" ] || echo "$(copy_statement "$part" "$table" ', FREEZE')$end"
    done
    echo 'COMMIT;'
}

fill() {
    local table part
    if [ "$wal_level" = minimal ]; then
        for table in $(tables); do
            fill_in_one_go "$table" >"$files/fill.$table.sql"
            echo "$files/fill.$table.sql"
        done | at_once -f
    else
        for table in $(tables); do
            parts | awk -v table="$table" '$2 == table { print $1 }' |
                while read -r part; do copy_statement "$part" "$table" ''; done
        done | at_once -c
    fi | awk '/^COPY/ { rows += $2 } END { print rows }'
}

# The statement of the migration, and the function that it calls, in the transaction that empties the table.
totals() {
    [ "$level" = optimized ] || return 0
    {
        echo 'BEGIN; TRUNCATE customer_call_stats;'
        sed -n '/^CREATE FUNCTION call_cost(/,/;$/p; /^INSERT INTO customer_call_stats$/,/;$/p' migrations/sql/totals/up.sql
        echo 'COMMIT;'
    } | sql "$plain"
}

# Each index a paragraph; those of the largest tables are the last ones.
indexes() {
    awk 'BEGIN { RS = ""; FS = "\n" }
         /CREATE/ {
             printf "%d\t%d\t", $0 ~ /USING gin/, NR
             for (line = 1; line <= NF; line++) if ($line !~ /^--/) printf "%s ", $line
             print ""
         }' "$files/rows/indexes.sql" | sort -t "$(printf '\t')" -k 1,1nr -k 2,2nr | cut -f 3 | at_once -c >/dev/null
    # Without what `totals` has done already.
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/^INSERT INTO customer_call_stats\n/ && !/FUNCTION call_cost\(/' \
        "$files/rows/finish.sql" | sql -1 "$plain"
}

vacuum() {
    {
        tables
        [ "$level" != optimized ] || echo customer_call_stats
    } | sed 's/.*/VACUUM (ANALYZE) public.&/' | at_once -c >/dev/null
}

# Prints `NAME SECONDS ROWS` for each phase.
by_hand() {
    local phase begun rows
    local PGOPTIONS=$PGOPTIONS
    sql "$admin" -c 'DROP DATABASE IF EXISTS plain' -c 'CREATE DATABASE plain'
    # As callbench does (datagen/src/loader/rebuild.rs).
    PGOPTIONS+=' -c backend_flush_after=2MB'
    if [ "$connections" = 1 ]; then
        PGOPTIONS+=' -c maintenance_work_mem=1GB'
    else
        PGOPTIONS+=' -c maintenance_work_mem=64MB -c max_parallel_maintenance_workers=0'
    fi
    sql -1 "$plain" -f "$files/rows/tables.sql" >/dev/null
    sql "$admin" -c CHECKPOINT
    for phase in fill totals indexes vacuum; do
        begun=$(clock)
        rows=$($phase)
        phase=${phase/fill/copy} phase=${phase/indexes/index}
        echo "$phase $(calc "$(clock) - $begun" 3) ${rows:-0}"
    done
}

# --- By callbench. ---

by_callbench() {
    local begun
    sql "$admin" -c CHECKPOINT
    begun=$(clock)
    "$callbench" seed --scale "$scale" --level "$level" --as-of "$as_of" --connections "$connections" --json \
        2>"$files/notes" >"$files/seeded" || { cat "$files/notes" >&2; return 1; }
    calc "$(clock) - $begun" 3 >"$files/whole"
    phases <"$files/seeded"
}

printf '%s at level %s, %s connections, wal_level %s; by hand: %s\n' "$scale" "$level" "$connections" "$wal_level" \
    "$([ "$copy" = COPY ] && echo "COPY from files of the server" || echo 'psql \copy')"
printf 'page cache before the rows are copied by hand: %s of the files\n' "$(cached "$files"/rows/*.bin)"
by_hand >"$files/hand"
sql "$admin" -c 'DROP DATABASE plain'
rm -rf "$files/rows"
by_callbench >"$files/callbench"

python3 - "$files/hand" "$files/callbench" "$files/whole" <<'END'
import sys
hand = {name: (float(seconds), int(rows)) for name, seconds, rows in map(str.split, open(sys.argv[1]))}
ours = {name: (float(begin), float(end), int(rows)) for name, begin, end, rows in map(str.split, open(sys.argv[2]))}
whole = float(open(sys.argv[3]).read())
assert hand["copy"][1] == ours["copy"][2], f"by hand {hand['copy'][1]} rows, by callbench {ours['copy'][2]}"
print(f"{'phase':<10} {'by hand':>22} {'callbench':>22}   (seconds: from, to)")
now = 0.0
for name in dict.fromkeys([*hand, *ours]):
    seconds = hand.get(name, (0.0, 0))[0]
    begin, end, _ = ours.get(name, (0.0, 0.0, 0))
    print(f"{name:<10} {now:>10.1f} {now + seconds:>11.1f} {begin:>10.1f} {end:>11.1f}")
    now += seconds
print(f"{'whole':<10} {now:>22.1f} {whole:>22.1f}   ratio callbench / by hand {whole / now:.2f}")
print(f"COPY by hand: {hand['copy'][1]:,} rows, {hand['copy'][1] / hand['copy'][0]:,.0f} rows/s; "
      "that of callbench overlaps with its indexes")
END
