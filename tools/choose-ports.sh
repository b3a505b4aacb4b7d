#!/bin/sh
# Reads .env.example and prints it with ports that are free for this workspace: the default ones if they are free, else
# the next ones. `airlock setup` and the Makefile use it, which also works without Node.
#   choose-ports.sh <.env.example
# A chosen port is recorded in a folder of the user, as a link to the workspace, so that another clone skips it before a
# process listens on it. The link is ignored once the workspace is removed.
set -eu
root=$(pwd -P)

find_registry() {
  for state in "${XDG_STATE_HOME:-${HOME:+$HOME/.local/state}}" "${TMPDIR:-/tmp}/state-$(id -u)" "/tmp/state-$(id -u)"; do
    case $state in /*) ;; *) continue ;; esac
    if mkdir -p "$state/workspace-ports" 2>/dev/null && [ -w "$state/workspace-ports" ]; then
      echo "$state/workspace-ports"
      return
    fi
  done
}
registry=$(find_registry)

# On any address: a server that listens on all addresses holds the loopback address too.
list_listening() {
  if [ -r /proc/net/tcp ]; then
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' |
      while read -r hex; do echo $((0x$hex)); done
  else
    netstat -an -p tcp 2>/dev/null | awk '/LISTEN/ { sub(/.*[.:]/, "", $4); print $4 }'
  fi
}
listening=" $(list_listening | tr '\n' ' ')"

# One command claims a port: of two concurrent clones, one finds the other's link.
claim() {
  [ -n "$registry" ] || return 0
  link=$registry/$1
  if [ -L "$link" ] && [ ! -d "$link" ]; then
    # Moved, then checked again: another clone may have replaced it meanwhile.
    mv "$link" "$link.$$" 2>/dev/null || :
    if [ -d "$link.$$" ]; then mv "$link.$$" "$link"; else rm -f "$link.$$"; fi
  fi
  # -n: an existing link is not followed into the other workspace.
  ln -sn "$root" "$link" 2>/dev/null || [ "$(readlink "$link")" = "$root" ]
}

choose() {
  port=$1
  while case $listening in *" $port "*) true ;; *) ! claim "$port" ;; esac; do port=$((port + 1)); done
  echo "$port"
}

example=$(cat)
ports=$(printf '%s\n' "$example" | sed -n -e 's/^#* *[A-Z_]*PORT=\([0-9]*\)$/\1/p' -e 's/^#* *[A-Z_]*=.*127\.0\.0\.1:\([0-9]*\)\/.*/\1/p' | sort -un)
edits=
for port in $ports; do
  chosen=$(choose "$port")
  [ "$chosen" != "$port" ] || continue
  edits="$edits
s/^#* *\\([A-Z_]*PORT=\\)$port\$/\\1$chosen/
s/\\(127\\.0\\.0\\.1:\\)$port\\//\\1$chosen\\//"
done
printf '%s\n' "$example" | sed "$edits"
