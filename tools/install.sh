#!/bin/sh
# Installs the packages of the lockfile unless they are there: $1 is the mark that says so, made last, so that an install
# that failed or was interrupted is done again. Of two at once the second waits and finds the work done.
set -eu
mark=$1
lock=${TMPDIR:-/tmp}/airlock-install-$(pwd | cksum | cut -d ' ' -f 1).lock

install() {
  if [ -e "$mark" ] && [ "$mark" -nt package-lock.json ] && [ "$mark" -nt package.json ] && [ "$mark" -nt .npmrc ]; then
    return
  fi
  echo 'Installing the packages of package-lock.json …' >&2
  npm ci --no-audit --loglevel=error >&2
  npm run --silent rebuild:allowed >&2
  touch "$mark"
}

# Where there is no flock (macOS), two at once are two installs, and the slower one is right.
if command -v flock >/dev/null; then
  exec 9>"$lock"
  flock 9
fi
install
