#!/usr/bin/env bash
# Outputs the digest of the image that an earlier run built and signed for COMMIT, or an empty one. A commit is built
# only once, however often its job is repeated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_commit "$COMMIT" || fail "COMMIT: \"$COMMIT\" is not a commit; expected 40 hexadecimal digits" 'Pass github.sha.'
bash "$(dirname "$0")/name-image.sh" api
image=$(image_name api)
digest=$(manifest_digest "$image:$COMMIT")
if [[ -n $digest ]] && ! verify_attestation "$image@$digest"; then
  printf '%s@%s is not signed by this repository: building it again\n' "$image" "$digest" >&2
  digest=
fi
output digest "$digest"
