# One-line shortcuts for Nx and the command `airlock`. `make` without a target lists them.
OUTER_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Only Nx's own plugins are used here: isolating each in a process costs 0.4 s per command without a benefit.
export NX_ISOLATE_PLUGINS := false
.DEFAULT_GOAL := help
INSTALLED := node_modules/.installed

$(INSTALLED): package-lock.json package.json .npmrc
	@PATH="$(OUTER_PATH)" sh tools/install.sh $@

.PHONY: help dev test test-reset check fix up down logs certs test-docker test-deploy rename
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A debugger must attach to the API, not to Nx or to other commands.
dev: export API_NODE_OPTIONS := $(filter --inspect%,$(NODE_OPTIONS))
dev: export NODE_OPTIONS := $(filter-out --inspect%,$(NODE_OPTIONS))
# Nx prints colours by default, also into a pipe.
dev: $(INSTALLED) ## serve the API, at http://localhost:8000 where that port is free, and reload on every edit
	@[ -n "$$FORCE_COLOR" ] || { [ -t 1 ] && [ -z "$$NO_COLOR" ]; } || export FORCE_COLOR=0; exec nx serve api

test: $(INSTALLED) ## run the tests of every project; starts its own PostgreSQL
	@node tools/run-tests.mjs

test-reset: $(INSTALLED) ## recreate the long-lived test database; refuses any other database
	@ENVIRONMENT=testing airlock db reset-test

check: $(INSTALLED) ## run the checks of CI besides the tests: format, types, lint, build, migrations
	@npm run --silent check

fix: $(INSTALLED) ## apply the automatic fixes of the linter and the formatter
	@npm run --silent fix

test-deploy: $(INSTALLED) ## deploy, break, roll back and promote on a local swarm, under load; QUICK=1 as CI does
	@failed=0; for part in $(if $(QUICK),:quick :quick-alone,''); do \
	  nx run cli:test-deploy$$part --output-style=stream-without-prefixes || failed=$$?; [ $$failed -lt 128 ] || break; \
	done; exit $$failed

up: | .env ## serve the API in Docker with PostgreSQL and Redis, on the ports in .env
	@docker/compose development up --build --wait || { echo 'make up: not all services started; the reason is above, or in `make logs`. If a port is in use, set API_PORT, POSTGRES_PORT or REDIS_PORT in .env.' >&2; exit 1; }
	@docker compose ps && echo 'Edit a file under apps/ or libs/ and reload; `make down` keeps the data.'

down: ## stop the services of `make up`; keeps the data
	@docker compose --profile '*' down

logs: ## follow the logs of the services of `make up`
	@docker compose logs --follow --tail=100

certs: ## create a certificate for https://localhost:8443 (docker compose --profile https up)
	@docker/make-certs

test-docker: $(INSTALLED) ## build the image and test every environment in Docker; does not affect other containers
	@nx run docker:test-docker --output-style=stream-without-prefixes

rename: $(INSTALLED) ## rename the workspace: make rename NAME=<name>
	@node --import ./tools/typescript.mjs tools/rename.mjs '$(NAME)'

# Works without Node; `airlock setup` does not change an existing file. If two run at once, the first one wins.
.env:
	@umask 077; password=$$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n') && example=$$(sh tools/choose-ports.sh <.env.example) && \
	  printf '%s\n' "$$example" | sed "/^#/!s/changethis/$$password/" >$@.$$$$ && \
	  mv -n $@.$$$$ $@; rm -f $@.$$$$; [ -e $@ ]
