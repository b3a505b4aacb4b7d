#!/usr/bin/env bash
# Ends the job unless the person typed the word: confirm.sh WORD, with what was typed in CONFIRM.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ $CONFIRM == "$1" ]] || fail "confirm: \"$CONFIRM\" was typed; expected $1" "Start the workflow again and type $1."
