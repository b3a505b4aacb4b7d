#!/usr/bin/env bash
# Outputs the digest to roll back to: DIGEST where it was given and ENVIRONMENT_NAME served it, else the one it served
# before the present one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ -z $DIGEST ]] || is_digest "$DIGEST" ||
  fail "digest: \"$DIGEST\" is no digest; expected sha256: and 64 hexadecimal digits" 'Copy it from the list of deployments.'
served=$(deployed_digests "$ENVIRONMENT_NAME")
if [[ -n $DIGEST ]]; then
  earlier=$(grep "^$DIGEST " <<<"$served" | head -n 1) ||
    fail "digest: $ENVIRONMENT_NAME never served $DIGEST" 'Choose one from the list of deployments.'
else
  present=$(head -n 1 <<<"$served" | cut -d ' ' -f 1)
  earlier=$(grep -v "^$present " <<<"$served" | head -n 1) ||
    fail "rollback: $ENVIRONMENT_NAME has served one digest only" 'Mend it with a new deploy.'
fi
output image "$(image_name api)"
output digest "${earlier% *}"
output commit "${earlier#* }"
