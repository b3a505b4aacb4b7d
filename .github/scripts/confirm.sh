#!/usr/bin/env bash
# Fails the job unless the user typed the word: confirm.sh WORD, with the typed text in CONFIRM.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ $CONFIRM == "$1" ]] || fail "confirm: got \"$CONFIRM\"; expected $1" "Start the workflow again and type $1."
