#!/usr/bin/env bash
# Outputs the digest of the image that a run before this one built and signed for COMMIT, or an empty one: so that a
# commit is built once, however often its job is run again.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_commit "$COMMIT" || fail "COMMIT: \"$COMMIT\" is no commit; expected 40 hexadecimal digits" 'Pass github.sha.'
bash "$(dirname "$0")/name-image.sh" api
image=$(image_name api)
digest=$(manifest_digest "$image:$COMMIT")
if [[ -n $digest ]] && ! verify_attestation "$image@$digest"; then
  printf '%s@%s carries no signature of this repository: building again\n' "$image" "$digest" >&2
  digest=
fi
output digest "$digest"
