#!/usr/bin/env bash
# Configures docker and airlock to use the Docker engine of DEPLOY_HOST (user@host) over SSH. The host key is
# pinned: an unknown host fails the job.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ $DEPLOY_HOST =~ ^[a-z_][a-z0-9_-]*@[A-Za-z0-9.-]+$ ]] ||
  fail "DEPLOY_HOST: \"$DEPLOY_HOST\" is not an address; expected user@host" "Set the variable of this GitHub environment."
[[ -n $DEPLOY_SSH_KEY ]] || fail 'DEPLOY_SSH_KEY: is empty' 'Set the secret of this GitHub environment.'
umask 077
mkdir -p "$HOME/.ssh"
printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$HOME/.ssh/known_hosts"
ssh-keygen -F "${DEPLOY_HOST#*@}" -f "$HOME/.ssh/known_hosts" >/dev/null ||
  fail "DEPLOY_KNOWN_HOSTS: has no key for ${DEPLOY_HOST#*@}" 'Read it on the host itself: ssh-keyscan localhost'
printf '%s\n' "$DEPLOY_SSH_KEY" >"$HOME/.ssh/airlock"
printf 'Host %s\n  IdentityFile %s\n  IdentitiesOnly yes\n  StrictHostKeyChecking yes\n  ServerAliveInterval 15\n' \
  "${DEPLOY_HOST#*@}" "$HOME/.ssh/airlock" >>"$HOME/.ssh/config"
docker context create airlock --docker "host=ssh://$DEPLOY_HOST"
docker context use airlock
docker version --format 'engine {{.Server.Version}}'
