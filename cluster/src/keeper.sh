# Runs one server for as long as somebody uses it. Arguments: the keeper's folder, the signal that ends the server,
# its log, the folder of its sockets, and then its command. Standard input is the pipe that the users hold open, standard output the lock file.
folder=$1 signal=$2 log=$3 sockets=$4
shift 4

# A closed terminal is no reason to stop, and neither is Ctrl-C: the users decide.
trap '' HUP INT QUIT

# What the starting process had open is not ours to keep open.
exec 3>&- 4>&- 6>&- 7>&- 8>&- 9>&-
exec 5<&0

# The server and all its processes inherit the lock (3), so that the lock is free when the last of them is gone, which
# may be later than the first of them.
"$@" 3>&1 >/dev/null 2>>"$log" </dev/null 5<&- &
server=$!
echo "$server"

(
    # Every user is answered in the order of arrival. The pipe ends when no user is left; from then on nobody is
    # answered, and whoever comes now waits for the lock and starts a new server.
    while read -r word name; do
        if [ "$word" = stay ]; then
            exec 4<>"$folder/users"
            : >"$folder/stay"
        fi
        : >"$folder/welcome.$name"
    done <&5
    : >"$folder/closing"
    # Again and again, because a server that has only just been started is deaf: until it has installed its handlers, it
    # ignores what this shell ignores. To one that is stopping already, a second signal says nothing new.
    while kill "-$signal" "$server" 2>/dev/null; do
        sleep 1
    done
) >/dev/null &
reader=$!

wait "$server"
# The shell would report the death of the reader in the log.
exec 2>/dev/null
kill "$reader"
wait "$reader"
# A folder made for the sockets alone is empty now; any other one stays.
rmdir "$sockets"
