#!/usr/bin/env bash
# Runs one delivery COMMAND for ENVIRONMENT_NAME with airlock and outputs its JSON as `result`. A target that is not
# Swarm has no history: promotion and rollback there deploy the digest that was verified before.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# The variables of the host's settings file, and the digests that docker/pin-images wrote.
settings=()
if [[ -n ${SETTINGS:-} ]]; then
  printf '%s\n' "$SETTINGS" >settings.env
  settings=(--env-file settings.env)
  [[ ! -f docker/images.lock ]] || settings+=(--env-file docker/images.lock)
fi
[[ -n $URL || $COMMAND == preview-* ]] ||
  fail "URL: is empty; expected the public origin of $ENVIRONMENT_NAME" 'Set the variable URL of this GitHub environment.'
flags=(--url "$URL")
if [[ $TARGET != swarm ]]; then
  flags+=(--target "$TARGET")
  for option in $TARGET_OPTIONS; do flags+=(--option "$option"); done
else
  # Another deployer may hold the lock; the workflows themselves queue.
  flags+=(--wait 10m)
  [[ $COMMAND == rollback ]] || flags+=(${settings[@]+"${settings[@]}"})
fi
case $COMMAND:$TARGET in
  deploy:* | promote:[!s]* | rollback:[!s]*) set -- deploy "$ENVIRONMENT_NAME" "$IMAGE@$DIGEST" "${flags[@]}" ;;
  promote:swarm)
    # The record of staging, because this job can reach production only.
    deployment_records staging >staging.jsonl
    set -- promote staging production --record staging.jsonl --digest "$DIGEST" --release "$RELEASE" --confirm PROMOTE "${flags[@]}"
    ;;
  rollback:swarm) set -- rollback "$ENVIRONMENT_NAME" --to "$DIGEST" "${flags[@]}" ;;
  preview-up:*) set -- preview up "$NUMBER" "$IMAGE@$DIGEST" --domain "$PREVIEW_DOMAIN" ${settings[@]+"${settings[@]}"} ;;
  preview-down:*) set -- preview down "$NUMBER" ;;
  preview-reap:*)
    open=$(gh pr list --repo "$GITHUB_REPOSITORY" --state open --limit 1000 --json number --jq 'map(.number) | join(",")')
    set -- preview reap --open "$open"
    ;;
  *) fail "command: \"$COMMAND\" is not a command of ship.sh; expected deploy, promote, rollback or preview-*" 'Correct the workflow.' ;;
esac
result=$(npx airlock "$@" --json)
output result "$result"
