#!/usr/bin/env bash
# `pgbench -i`, which every user of PostgreSQL knows, and a load by callbench of about the same bytes, one after the other
# on one server.
#
#   benches/pgbench_init.sh [--logged] [SCALE] [LEVEL] [CONNECTIONS]      default: demo, before, one per core
#
# callbench loads the scale; the scale factor of pgbench is the one whose tables take as many bytes. Its steps are dtgvp:
# drop, create, COPY from the client (frozen, in the transaction that empties the tables), VACUUM, primary keys. It uses one
# connection, because it can't use more. Both run with wal_level minimal, or with `--logged` both with replica. Bytes are those of the
# tables without indexes on disk, for both; a checkpoint stands before each load, and the first database is dropped
# before the second load.
#
# One row of pgbench_accounts has four columns, two of which are constant, and takes 132 bytes of its page: rows/s of the two differ by
# what a row is. MB/s are what compares; and pgbench builds three keys where callbench builds all indexes of the level.
set -euo pipefail
cd "$(dirname "$0")/.."
wal_level=minimal
while [[ ${1:-} == --* ]]; do
    case $1 in
    --logged) wal_level=replica ;;
    *) echo "usage: $0 [--logged] [SCALE] [LEVEL] [CONNECTIONS]" >&2; exit 2 ;;
    esac
    shift
done
scale=${1:-demo} level=${2:-before} connections=${3:-$(getconf _NPROCESSORS_ONLN)}
# 100,000 accounts, of which 61 fit a page of 8 kB.
readonly FACTOR_BYTES=$((100000 / 61 * 8192))
source benches/private_cluster.sh
start_cluster "$wal_level"

tables_bytes() {
    sql "$1" -c "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
}

# --- callbench. ---

sql "$admin" -c CHECKPOINT
begun=$(clock)
"$callbench" seed --scale "$scale" --level "$level" --connections "$connections" --json \
    2>"$files/notes" >"$files/seeded" || { cat "$files/notes" >&2; exit 1; }
whole=$(calc "$(clock) - $begun" 3)
bytes=$(tables_bytes "${admin/\/postgres/\/callbench_$scale}")
read -r seconds rows < <(phases <"$files/seeded" | awk '$1 == "copy" { print $3 - $2, $4 }')
sql "$admin" -c "DROP DATABASE callbench_$scale"

# --- pgbench. ---

factor=$((bytes / FACTOR_BYTES))
[ "$factor" -gt 0 ] || factor=1
sql "$admin" -c 'CREATE DATABASE pgbench' -c CHECKPOINT
begun=$(clock)
"$bin/pgbench" -i -I dtgvp -q -s "$factor" "${admin/\/postgres/\/pgbench}" 2>"$files/said" >/dev/null ||
    { cat "$files/said" >&2; exit 1; }
pgbench_whole=$(calc "$(clock) - $begun" 3)
pgbench_bytes=$(tables_bytes "${admin/\/postgres/\/pgbench}")
pgbench_rows=$((factor * (100000 + 10 + 1)))
# done in 1.23 s (drop tables 0.00 s, create tables 0.01 s, client-side generate 0.80 s, vacuum 0.20 s, primary keys 0.22 s).
pgbench_seconds=$(sed -n 's/.*client-side generate \([0-9.]*\) s.*/\1/p' "$files/said")

printf '%s at level %s, %s connections; pgbench -s %s, 1 connection; wal_level %s\n' \
    "$scale" "$level" "$connections" "$factor" "$wal_level"
printf '%-10s %8s %13s %10s %12s %8s %10s %12s %8s\n' '' GB rows COPY rows/s MB/s whole rows/s MB/s
line() { # NAME BYTES ROWS COPY-SECONDS WHOLE-SECONDS
    python3 - "$@" <<'END'
import sys
name, *numbers = sys.argv[1:]
size, rows, copied, whole = map(float, numbers)
speeds = [text for seconds in (copied, whole)
          for text in (f"{seconds:.2f} s", f"{rows / seconds:,.0f}", f"{size / 1e6 / seconds:.1f}")]
print("{:<10} {:>8.2f} {:>13,.0f} {:>10} {:>12} {:>8} {:>10} {:>12} {:>8}".format(name, size / 1e9, rows, *speeds))
END
}
line callbench "$bytes" "$rows" "$seconds" "$whole"
line 'pgbench -i' "$pgbench_bytes" "$pgbench_rows" "$pgbench_seconds" "$pgbench_whole"
sed -n 's/^done in/pgbench: done in/p' "$files/said"
