#!/usr/bin/env bash
# Outputs the name of an image of this repository and the time of its build: name-image.sh NAME
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
output image "$(image_name "$1")"
output time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
