#!/usr/bin/env bash
# Ends the job unless RELEASE may go to production: a plain version whose commit is on main, whose image carries the
# signature of the workflow that builds, and whose digest staging served. DIGEST, where given, must be that digest.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_release "$RELEASE" ||
  fail "release: \"$RELEASE\" is no version; expected vX.Y.Z" 'Publish a release with such a tag; a pre-release stays on staging.'
[[ -z ${DIGEST:-} ]] || is_digest "$DIGEST" ||
  fail "digest: \"$DIGEST\" is no digest; expected sha256: and 64 hexadecimal digits" 'Copy it from the summary of deploy-staging.'

commit=$(git rev-parse --verify --quiet "refs/tags/$RELEASE^{commit}") ||
  fail "$RELEASE: no such tag in this repository" 'Publish the release, then start again.'
git merge-base --is-ancestor "$commit" origin/main ||
  fail "$RELEASE: its commit $commit is not on main; only main is built and tested on staging" 'Merge it, then tag the merge.'

image=$(image_name api)
digest=$(manifest_digest "$image:$commit")
[[ -n $digest ]] ||
  fail "$RELEASE: there is no image for its commit $commit" 'Let deploy-staging of that commit finish, then run this job again.'
[[ -z ${DIGEST:-} || $DIGEST == "$digest" ]] ||
  fail "digest: $DIGEST was asked for, but the image of $RELEASE is $digest" 'Pass the digest of that release, or tag the other commit.'

# One platform or several: the label must be there, and the same in all of them.
revision=$(docker buildx imagetools inspect "$image@$digest" --format '{{json .Image}}' |
  grep -oE '"org\.opencontainers\.image\.revision": *"[^"]*"' | sed 's/.*"\([^"]*\)"$/\1/' | sort -u) || true
[[ $revision == "$commit" ]] ||
  fail "$image@$digest: was built from \"$revision\"; expected $commit" 'Do not use this image: find out who moved the tag.'
verify_attestation "$image@$digest" ||
  fail "$image@$digest: carries no signature of deploy-staging on main" 'Run deploy-staging of that commit again.'
served=$(deployed_digests staging "$commit") ||
  fail 'deployments: the record of staging cannot be read' 'Run the job again.'
grep -q "^$digest " <<<"$served" ||
  fail "$image@$digest: staging never served it" 'Let deploy-staging of that commit succeed, then run this job again.'

output image "$image"
output digest "$digest"
output commit "$commit"
