#!/bin/sh
# Installs the packages of the lockfile if they are not installed yet. $1 is the marker of a complete installation: it
# contains what was installed and is written last, so that an interrupted installation is repeated. A concurrent run
# waits.
set -eu
mark=$1
lock=${TMPDIR:-/tmp}/airlock-install-$(pwd | cksum | cut -d ' ' -f 1).lock

install() {
  wanted=$(cksum package-lock.json package.json .npmrc)
  if [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ]; then
    # The files are newer with the same content, as after `git checkout`.
    touch "$mark"
    return
  fi
  # After `npm install PACKAGE` everything is already installed.
  if ! node tools/is-installed.mjs; then
    echo 'Installing the packages of package-lock.json …' >&2
    npm ci --no-audit --loglevel=error >&2
  fi
  npm run --silent rebuild:allowed >&2
  printf '%s\n' "$wanted" >"$mark"
}

# Without flock (macOS), two concurrent runs install twice, and the slower one is correct.
if command -v flock >/dev/null; then
  exec 9>"$lock"
  flock 9
fi
install
