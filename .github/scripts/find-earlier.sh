#!/usr/bin/env bash
# Outputs the digest to roll back to: DIGEST, if it is given and ENVIRONMENT_NAME has served it; without DIGEST, the one
# that it served before the current one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ -z $DIGEST ]] || is_digest "$DIGEST" ||
  fail "digest: \"$DIGEST\" is not a digest; expected sha256: and 64 hexadecimal digits" 'Copy it from the list of deployments.'
served=$(deployed_digests "$ENVIRONMENT_NAME")
if [[ -n $DIGEST ]]; then
  earlier=$(grep "^$DIGEST " <<<"$served" | head -n 1) ||
    fail "digest: $ENVIRONMENT_NAME never served $DIGEST" 'Choose one from the list of deployments.'
else
  present=$(head -n 1 <<<"$served" | cut -d ' ' -f 1)
  earlier=$(grep -v "^$present " <<<"$served" | head -n 1) ||
    fail "rollback: $ENVIRONMENT_NAME has served one digest only" 'Deploy a fixed commit instead.'
fi
output image "$(image_name api)"
output digest "${earlier% *}"
output commit "${earlier#* }"
