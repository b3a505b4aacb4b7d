#!/bin/sh
# Installs the packages of the lockfile where they are not installed yet. $1 is the mark of a whole installation: it holds
# what was installed, and is written last, so that an interrupted one is done again. Of two at once the second waits.
set -eu
mark=$1
lock=${TMPDIR:-/tmp}/airlock-install-$(pwd | cksum | cut -d ' ' -f 1).lock

install() {
  wanted=$(cksum package-lock.json package.json .npmrc)
  if [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ]; then
    # The files are newer and say the same, as after `git checkout`.
    touch "$mark"
    return
  fi
  # After `npm install PACKAGE` all is there already.
  if ! node tools/is-installed.mjs; then
    echo 'Installing the packages of package-lock.json …' >&2
    npm ci --no-audit --loglevel=error >&2
  fi
  npm run --silent rebuild:allowed >&2
  printf '%s\n' "$wanted" >"$mark"
}

# Where there is no flock (macOS), two at once are two installs, and the slower one is right.
if command -v flock >/dev/null; then
  exec 9>"$lock"
  flock 9
fi
install
