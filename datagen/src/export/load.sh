#!/usr/bin/env bash
#
# Loads this folder into a PostgreSQL (15 or newer) database:
#
#     ./load.sh DATABASE_URL [JOBS]
#     ./load.sh postgres://me:secret@localhost/scratch 8
#
# JOBS is how many parts are loaded, and how many indexes are built, at the same time; 4 without it. Needed are bash and
# psql. The database must not have the tables yet; an empty one is best (createdb scratch). After an error nothing is
# taken back, and a message says what to do.
#
# What is here:
#
#     manifest.json    the data set, and rows, bytes and checksum of each table and part
#     tables.sql       the tables, without keys, and the extension that an index of level optimized needs
#     <table>.NNNN.*   the rows, each file a whole COPY stream: binary (.bin), or CSV with the names of the columns (.csv)
#     indexes.sql      the indexes, keys included
#     finish.sql       what remains: indexes become keys, triggers, entries by which callbench knows the schema
#
# The same by hand: psql -f tables.sql; for each file \copy public.<table> (<columns>) FROM '<file>' WITH (FORMAT …);
# psql -f indexes.sql -f finish.sql; VACUUM (ANALYZE). Indexes are built faster with more memory, for example
# PGOPTIONS='-c maintenance_work_mem=1GB' ./load.sh …

set -euo pipefail

#contents#

fail() {
    echo "load.sh: $*" >&2
    exit 1
}

# psql without the user's settings, ended by the first error. Tables go to the schema public, and no time-out that the
# server has for its usual users cuts a step short.
run() {
    PGCLIENTENCODING=UTF8 psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$url" \
        --command='SET search_path = public' --command='SET client_min_messages = warning' \
        --command='SET statement_timeout = 0' --command='SET lock_timeout = 0' "$@"
}

# Loads a part, and compares what the server took with what the part has.
copy_part() {
    local file=$1 table=$2 rows=$3 said
    said=$(run --command="\\copy public.$table ($(columns "$table")) FROM '$file' WITH $format") || return 1
    if [ "${said##*$'\n'}" != "COPY $rows" ]; then
        echo "load.sh: $file has $rows rows, and the server took another number: ${said##*$'\n'}" >&2
        return 1
    fi
}

# Builds one index: a paragraph of indexes.sql.
build_index() {
    awk -v wanted="$1" 'BEGIN { RS = "" } NR == wanted' indexes.sql | run --quiet --file=-
}

vacuum_table() {
    run --quiet --command="VACUUM (ANALYZE) public.$1"
}

# Calls a function for each line of the input, $jobs at a time, and fails with the first that fails.
in_parallel() {
    xargs -L 1 -P "$jobs" bash -c 'set -euo pipefail; "$@" || exit 255' load.sh "$1"
}

# Runs a step and says how long it took; after a failure, what to do.
step() {
    local name=$1 advice=$2 begun=$SECONDS
    shift 2
    "$@" || fail "$name failed, see above. $advice"
    printf '%-12s %6d s\n' "$name" $((SECONDS - begun))
}

make_tables() {
    run --quiet --single-transaction --file=tables.sql
}

copy_parts() {
    parts | in_parallel copy_part
}

build_indexes() {
    awk 'BEGIN { RS = "" } /CREATE/ { print NR }' indexes.sql | in_parallel build_index
}

finish() {
    run --quiet --single-transaction --file=finish.sql
}

vacuum() {
    printf '%s\n' $tables | in_parallel vacuum_table
}

# --- What is asked for, and whether it can be done. ---

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "$1" = --help ]; then
    echo "usage: $0 DATABASE_URL [JOBS]" >&2
    exit 2
fi
url=$1
jobs=${2:-4}
case "$jobs" in
'' | *[!0-9]* | 0*) fail "JOBS is a number from 1 up, not '$jobs'" ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")"
command -v psql >/dev/null || fail "psql is not found; install the client programs of PostgreSQL, or add their folder to PATH"
export url format
export -f run copy_part columns build_index vacuum_table

while read -r file _ _ bytes; do
    [ -f "$file" ] || fail "the part $file is missing"
    found=$(($(wc -c <"$file")))
    [ "$found" = "$bytes" ] || fail "the part $file has $found bytes instead of $bytes; copy or export it again"
done < <(parts)

names=$(printf "'%s'," $tables)
existing=$(run --quiet --tuples-only --no-align --command="SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname IN (${names%,}) ORDER BY relname") ||
    fail "the database can't be reached, see above"
for table in $existing; do
    holds=$(run --quiet --tuples-only --no-align --command="SELECT EXISTS (SELECT FROM public.$table)") || holds=f
    [ "$holds" = t ] && state="has rows" || state="is empty"
    fail "the database has a table $table already, which $state; nothing was changed; load into another database"
done

# --- The load. ---

again="To start again, take a new database, or drop the tables: DROP TABLE ${tables// /, }"
rest="The rows are loaded; go on with: psql -f indexes.sql, psql -1 -f finish.sql, VACUUM (ANALYZE)"
step tables "$again" make_tables
step rows "$again" copy_parts
step indexes "$rest" build_indexes
step finish "$rest" finish
step vacuum "The rows and indexes are there; go on with: VACUUM (ANALYZE)" vacuum
printf '%-12s %6d s\n' "in all" "$SECONDS"
