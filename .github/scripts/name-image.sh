#!/usr/bin/env bash
# Outputs the inputs of a build: name-image.sh NAME gives the image's name, the time, and the base image by digest, from
# docker/images.lock or, if that file does not exist, the current digest of its tag.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
base=$(sed -n 's/^NODE_IMAGE=//p' docker/images.lock 2>/dev/null || true)
if [[ -z $base ]]; then
  tag=$(sed -n 's/^ARG NODE_IMAGE=//p' docker/api.Dockerfile | head -n 1)
  digest=$(manifest_digest "$tag")
  base=$tag@$digest
fi
is_digest "${base#*@}" || fail "NODE_IMAGE: \"$base\" is not pinned; expected an image by digest" 'Run docker/pin-images and commit docker/images.lock.'
output image "$(image_name "$1")"
output time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
output base "$base"
