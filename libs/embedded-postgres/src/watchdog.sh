#!/bin/sh
# Runs a server and ends it when the owner's end of our standard input closes, either deliberately or because the owner
# died.
#   watchdog.sh SIGNAL FOLDER LOCK COMMAND…   SIGNAL stops the server; FOLDER is then removed, '' removes nothing
# With a LOCK the server is started under it, once the owner has written a line; without one, at once. Exit code 75
# means that another process holds the lock. The server inherits it, and so holds it even if this shell is killed.
# Two shells share the work, so that the server ends even if one of them is killed.
stop_signal=$1 folder=$2 lock=$3
shift 3

# The owner handles a terminal's Ctrl-C. A handler, unlike '', is not inherited by the server.
trap : INT HUP TERM
is_closing=
trap 'is_closing=yes' USR1

exec 4<&0
if [ -n "$lock" ]; then
  exec 9>>"$lock" || exit
  # macOS has no flock.
  if command -v flock >/dev/null && ! flock -n 9; then exit 75; fi
  echo locked >&3
  read -r _ <&4 || exit 0
fi
exec 3>&-
"$@" </dev/null 4<&- &
server=$!

stop_server() {
  # The pid still belongs to the server: the shell below has not waited for it, or it would have ended this one.
  kill -s "$stop_signal" "$server" 2>/dev/null
  for signal in QUIT KILL; do
    polls=0
    while [ $polls -lt 250 ]; do
      kill -0 "$server" 2>/dev/null || return
      sleep 0.02
      polls=$((polls + 1))
    done
    kill -s $signal "$server" 2>/dev/null
  done
}

remove_folder() {
  [ -z "$folder" ] || rm -rf -- "$folder"
}

(
  trap : INT HUP TERM
  while read -r _; do :; done <&4
  kill -s USR1 $$ 2>/dev/null
  stop_server
  remove_folder
) 9>&- &
reader=$!
exec 4<&- 0</dev/null

# A trapped signal interrupts `wait`: wait again while the server lives.
while :; do
  wait "$server"
  status=$?
  kill -0 "$server" 2>/dev/null || break
done
kill -s KILL "$reader" 2>/dev/null
# A server that ended by itself leaves its folder, with its log, to the owner.
[ -z "$is_closing" ] || remove_folder
exit "$status"
