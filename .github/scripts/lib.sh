# shellcheck shell=bash
# Functions of the workflow scripts, which run under bash 3.2 and later and need only git, docker and gh.
set -euo pipefail

# fail PROBLEM FIX: exits with the two lines of every error of the scripts.
fail() {
  printf '%s\n%s\n' "$1" "$2" >&2
  exit 1
}

# output NAME VALUE: sets an output of the step. A line break would start another output.
output() {
  [[ $2 != *$'\n'* ]] || fail "output $1: contains a line break; expected one line" 'Check the command that printed it.'
  printf '%s=%s\n' "$1" "$2" | tee -a "$GITHUB_OUTPUT"
}

# image_name NAME: the name of an image of this repository. Registries accept lower case only.
image_name() {
  printf 'ghcr.io/%s/%s' "$(printf '%s' "$GITHUB_REPOSITORY" | tr '[:upper:]' '[:lower:]')" "$1"
}

# manifest_digest REFERENCE: the digest in the registry; empty if there is none. Fails if the registry does not respond.
manifest_digest() {
  local answer
  if answer=$(docker buildx imagetools inspect "$1" --format '{{json .Manifest.Digest}}' 2>&1); then
    printf '%s' "$answer" | tr -d '"'
  elif ! grep -qiE 'not found|manifest unknown|name unknown' <<<"$answer"; then
    fail "$1: the registry failed: $answer" 'Run the job again.'
  fi
}

is_digest() { [[ $1 =~ ^sha256:[0-9a-f]{64}$ ]]; }
is_commit() { [[ $1 =~ ^[0-9a-f]{40}$ ]]; }
is_release() { [[ $1 =~ ^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]]; }

# verify_attestation IMAGE@DIGEST: is it signed by the workflow that builds, from a commit on main?
verify_attestation() {
  gh attestation verify "oci://$1" --repo "$GITHUB_REPOSITORY" \
    --signer-workflow "$GITHUB_REPOSITORY/.github/workflows/deploy-staging.yml" --source-ref refs/heads/main >&2
}

# deployed_digests ENVIRONMENT [COMMIT]: the digests that record-deployment.sh recorded as serving, newest first, as
# lines of digest and commit.
deployed_digests() {
  gh api --paginate "repos/$GITHUB_REPOSITORY/deployments?task=airlock&environment=$1&per_page=100${2:+&sha=$2}" \
    --jq '.[] | select(.payload.ok == true) | .payload.digest + " " + .sha'
}

# deployment_records ENVIRONMENT: the release records that airlock wrote, oldest first, one JSON object per line.
deployment_records() {
  gh api --paginate "repos/$GITHUB_REPOSITORY/deployments?task=airlock&environment=$1&per_page=100" \
    --jq '.[] | .payload.record | select(. != null) | tojson' | awk '{line[NR] = $0} END {for (i = NR; i > 0; i--) print line[i]}'
}
