#!/usr/bin/env bash
# Runs one delivery COMMAND for ENVIRONMENT_NAME with airlock and outputs its JSON as `result`. A target that is not
# Swarm keeps no history of its own: promotion and rollback there are a deploy of the digest that was verified before.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# What the host's settings file would say, and the digests that docker/pin-images wrote.
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
  # A person may be at work there; the workflows themselves queue.
  flags+=(--wait 10m)
  [[ $COMMAND == rollback ]] || flags+=(${settings[@]+"${settings[@]}"})
fi
case $COMMAND:$TARGET in
  deploy:* | promote:[!s]* | rollback:[!s]*) set -- deploy "$ENVIRONMENT_NAME" "$IMAGE@$DIGEST" "${flags[@]}" ;;
  promote:swarm)
    # Staging's own record: this job can reach production only.
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
  *) fail "command: \"$COMMAND\" is none of ship.sh; expected deploy, promote, rollback or preview-*" 'Look at the workflow.' ;;
esac
result=$(npx airlock "$@" --json)
output result "$result"
