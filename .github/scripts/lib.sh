# shellcheck shell=bash
# What the scripts of the workflows share. They run under bash 3.2 and later, and need git, docker and gh only.
set -euo pipefail

# fail WHAT CURE: ends the script with the two lines of every error here.
fail() {
  printf '%s\n%s\n' "$1" "$2" >&2
  exit 1
}

# output NAME VALUE: an output of the step. A line break would start another output.
output() {
  [[ $2 != *$'\n'* ]] || fail "output $1: has a line break; expected one line" 'Look at the command that printed it.'
  printf '%s=%s\n' "$1" "$2" | tee -a "$GITHUB_OUTPUT"
}

# image_name NAME: where this repository keeps an image. Registries take lower case only.
image_name() {
  printf 'ghcr.io/%s/%s' "$(printf '%s' "$GITHUB_REPOSITORY" | tr '[:upper:]' '[:lower:]')" "$1"
}

# manifest_digest REFERENCE: what the registry has there; nothing where it has nothing. A registry that fails is no answer.
manifest_digest() {
  local answer
  if answer=$(docker buildx imagetools inspect "$1" --format '{{json .Manifest.Digest}}' 2>&1); then
    printf '%s' "$answer" | tr -d '"'
  elif ! grep -qiE 'not found|manifest unknown|name unknown' <<<"$answer"; then
    fail "$1: the registry did not answer: $answer" 'Run the job again.'
  fi
}

is_digest() { [[ $1 =~ ^sha256:[0-9a-f]{64}$ ]]; }
is_commit() { [[ $1 =~ ^[0-9a-f]{40}$ ]]; }
is_release() { [[ $1 =~ ^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]]; }

# verify_attestation IMAGE@DIGEST: signed by the one workflow that builds, from a commit on main.
verify_attestation() {
  gh attestation verify "oci://$1" --repo "$GITHUB_REPOSITORY" \
    --signer-workflow "$GITHUB_REPOSITORY/.github/workflows/deploy-staging.yml" --source-ref refs/heads/main >&2
}

# deployed_digests ENVIRONMENT [COMMIT]: what record-deployment.sh recorded as serving there, newest first, as
# «digest commit» lines.
deployed_digests() {
  gh api --paginate "repos/$GITHUB_REPOSITORY/deployments?task=airlock&environment=$1&per_page=100${2:+&sha=$2}" \
    --jq '.[] | select(.payload.ok == true) | .payload.digest + " " + .sha'
}

# deployment_records ENVIRONMENT: what airlock itself wrote of each, oldest first, one JSON object a line.
deployment_records() {
  gh api --paginate "repos/$GITHUB_REPOSITORY/deployments?task=airlock&environment=$1&per_page=100" \
    --jq '.[] | .payload.record | select(. != null) | tojson' | awk '{line[NR] = $0} END {for (i = NR; i > 0; i--) print line[i]}'
}
