#!/usr/bin/env bash
# Gives DIGEST of IMAGE each of TAGS, and ends the job unless the registry then shows that digest there: a copy that
# wraps a single manifest in an index would be another image.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_digest "$DIGEST" || fail "digest: \"$DIGEST\" is no digest; expected sha256: and 64 hexadecimal digits" 'Pass the deployed one.'
for tag in $TAGS; do
  docker buildx imagetools create --prefer-index=false --tag "$IMAGE:$tag" "$IMAGE@$DIGEST"
  tagged=$(manifest_digest "$IMAGE:$tag")
  [[ $tagged == "$DIGEST" ]] || fail "$IMAGE:$tag: is \"$tagged\"; expected $DIGEST" 'Delete the tag and find out why.'
  printf '%s:%s is %s\n' "$IMAGE" "$tag" "$DIGEST"
done
