#!/usr/bin/env bash
# Adds each of TAGS to DIGEST of IMAGE, and fails the job unless the registry then returns that digest for the tag: a copy
# that wraps a single manifest in an index would be another image.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_digest "$DIGEST" || fail "digest: \"$DIGEST\" is not a digest; expected sha256: and 64 hexadecimal digits" 'Pass the deployed digest.'
for tag in $TAGS; do
  docker buildx imagetools create --prefer-index=false --tag "$IMAGE:$tag" "$IMAGE@$DIGEST"
  tagged=$(manifest_digest "$IMAGE:$tag")
  [[ $tagged == "$DIGEST" ]] || fail "$IMAGE:$tag: is \"$tagged\"; expected $DIGEST" 'Delete the tag and find the cause.'
  printf '%s:%s now points to %s\n' "$IMAGE" "$tag" "$DIGEST"
done
