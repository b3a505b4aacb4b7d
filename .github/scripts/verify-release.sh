#!/usr/bin/env bash
# Fails the job unless RELEASE may be deployed to production: its commit must be on main, its image must have the
# signature of the workflow that builds, and staging must have served its digest. DIGEST, if given, must be that digest.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
is_release "$RELEASE" ||
  fail "release: \"$RELEASE\" is not a version; expected vX.Y.Z" 'Publish a release with such a tag; a pre-release is not promoted.'
[[ -z ${DIGEST:-} ]] || is_digest "$DIGEST" ||
  fail "digest: \"$DIGEST\" is not a digest; expected sha256: and 64 hexadecimal digits" 'Copy it from the summary of deploy-staging.'

commit=$(git rev-parse --verify --quiet "refs/tags/$RELEASE^{commit}") ||
  fail "$RELEASE: no such tag in this repository" 'Publish the release, then start again.'
git merge-base --is-ancestor "$commit" origin/main ||
  fail "$RELEASE: its commit $commit is not on main; expected a commit of main, because only main is built and tested on staging" 'Merge it, then tag the merge.'

image=$(image_name api)
digest=$(manifest_digest "$image:$commit")
[[ -n $digest ]] ||
  fail "$RELEASE: no image exists for its commit $commit" 'Let deploy-staging of that commit finish, then run this job again.'
[[ -z ${DIGEST:-} || $DIGEST == "$digest" ]] ||
  fail "digest: got $DIGEST, but the image of $RELEASE is $digest" 'Pass the digest of that release, or tag the other commit.'

# The label must be present and the same on all platforms of the image.
revision=$(docker buildx imagetools inspect "$image@$digest" --format '{{json .Image}}' |
  grep -oE '"org\.opencontainers\.image\.revision": *"[^"]*"' | sed 's/.*"\([^"]*\)"$/\1/' | sort -u) || true
[[ $revision == "$commit" ]] ||
  fail "$image@$digest: was built from \"$revision\"; expected $commit" 'Do not use this image until it is known why the tag was moved.'
verify_attestation "$image@$digest" ||
  fail "$image@$digest: is not signed by deploy-staging on main" 'Run deploy-staging of that commit again.'
served=$(deployed_digests staging "$commit") ||
  fail 'deployments: the record of staging cannot be read' 'Run the job again.'
grep -q "^$digest " <<<"$served" ||
  fail "$image@$digest: staging has never served it" 'Run deploy-staging of that commit until it succeeds, then run this job again.'

output image "$image"
output digest "$digest"
output commit "$commit"
