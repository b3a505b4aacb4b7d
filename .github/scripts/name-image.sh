#!/usr/bin/env bash
# Outputs the inputs of a build: name-image.sh NAME gives the image's name, the time, and the base images by digest, from
# docker/images.lock or, if that file does not exist, the current digests of their tags.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

# pinned NAME prints the image of that name by digest.
pinned() {
  local found tag digest
  found=$(sed -n "s/^$1=//p" docker/images.lock 2>/dev/null || true)
  if [[ -z $found ]]; then
    tag=$(sed -n "s/^ARG $1=//p" docker/api.Dockerfile | head -n 1)
    digest=$(manifest_digest "$tag")
    found=$tag@$digest
  fi
  is_digest "${found#*@}" || fail "$1: \"$found\" is not pinned; expected an image by digest" 'Run docker/pin-images and commit docker/images.lock.'
  echo "$found"
}

base=$(pinned NODE_IMAGE)
postgres=$(pinned POSTGRES_IMAGE)
output image "$(image_name "$1")"
output time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
output base "$base"
output postgres "$postgres"
