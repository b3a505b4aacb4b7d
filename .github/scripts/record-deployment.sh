#!/usr/bin/env bash
# Records the digest that serves ENVIRONMENT_NAME as a GitHub deployment. Its payload is RESULT, the JSON of airlock.
# Promotion and rollback of every target read this record: it is the only history of what staging has served.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
id=$(gh api --method POST "repos/$GITHUB_REPOSITORY/deployments" --input - --jq .id <<JSON
{"ref": "$COMMIT", "task": "airlock", "environment": "$ENVIRONMENT_NAME", "auto_merge": false, "required_contexts": [], "payload": $RESULT}
JSON
)
gh api --method POST "repos/$GITHUB_REPOSITORY/deployments/$id/statuses" -f state=success -F auto_inactive=false --silent
# shellcheck disable=SC2016 # the backticks are Markdown
printf '### %s serves\n```json\n%s\n```\n' "$ENVIRONMENT_NAME" "$RESULT" >>"$GITHUB_STEP_SUMMARY"
