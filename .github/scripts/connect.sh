#!/usr/bin/env bash
# Makes the Docker engine of DEPLOY_HOST (user@host) the one that docker and airlock talk to, over SSH. The host key is
# pinned: an unknown host ends the job.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
[[ $DEPLOY_HOST =~ ^[a-z_][a-z0-9_-]*@[A-Za-z0-9.-]+$ ]] ||
  fail "DEPLOY_HOST: \"$DEPLOY_HOST\" is no address; expected user@host" "Set the variable of this GitHub environment."
[[ -n $DEPLOY_SSH_KEY ]] || fail 'DEPLOY_SSH_KEY: is empty' 'Set the secret of this GitHub environment.'
umask 077
mkdir -p "$HOME/.ssh"
printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$HOME/.ssh/known_hosts"
ssh-keygen -F "${DEPLOY_HOST#*@}" -f "$HOME/.ssh/known_hosts" >/dev/null ||
  fail "DEPLOY_KNOWN_HOSTS: has no key for ${DEPLOY_HOST#*@}" 'Take it from the host itself: ssh-keyscan localhost, run there.'
printf '%s\n' "$DEPLOY_SSH_KEY" >"$HOME/.ssh/airlock"
printf 'Host %s\n  IdentityFile %s\n  IdentitiesOnly yes\n  StrictHostKeyChecking yes\n  ServerAliveInterval 15\n' \
  "${DEPLOY_HOST#*@}" "$HOME/.ssh/airlock" >>"$HOME/.ssh/config"
docker context create airlock --docker "host=ssh://$DEPLOY_HOST"
docker context use airlock
docker version --format 'engine {{.Server.Version}}'
