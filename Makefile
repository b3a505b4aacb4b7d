# One-line doors to Nx and to the command `airlock`. `make` alone lists them.
OUTER_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Nx has only its own plugins here: a process for each of them costs 0.4 s of every command and protects from nothing.
export NX_ISOLATE_PLUGINS := false
.DEFAULT_GOAL := help
INSTALLED := node_modules/.installed

$(INSTALLED): package-lock.json package.json .npmrc
	@PATH="$(OUTER_PATH)" sh tools/install.sh $@

.PHONY: help dev test test-reset check fix up down logs certs test-docker test-deploy rename
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A debugger is for the API: not for Nx, which starts it, nor for the commands beside it.
dev: export API_NODE_OPTIONS := $(filter --inspect%,$(NODE_OPTIONS))
dev: export NODE_OPTIONS := $(filter-out --inspect%,$(NODE_OPTIONS))
# Nx colours everything that it is not told not to, also into a pipe.
dev: $(INSTALLED) ## serve the API, at http://localhost:8000 where that port is free, and reload on every edit
	@[ -n "$$FORCE_COLOR" ] || { [ -t 1 ] && [ -z "$$NO_COLOR" ]; } || export FORCE_COLOR=0; exec nx serve api

test: $(INSTALLED) ## run every project's tests against a PostgreSQL of their own
	@node tools/run-tests.mjs

test-reset: $(INSTALLED) ## make the long-lived test database anew; refuses any other
	@ENVIRONMENT=testing airlock db reset-test

check: $(INSTALLED) ## what CI checks besides the tests: format, lint, types, build, migrations
	@npm run --silent check

fix: $(INSTALLED) ## mend what the linter and the formatter can mend
	@npm run --silent fix

test-deploy: $(INSTALLED) ## deploy, break, roll back and promote on a local swarm, under load; QUICK=1 as CI does
	@nx run cli:test-deploy$(if $(QUICK),:quick) --output-style=stream-without-prefixes

up: | .env ## the same in Docker: API, PostgreSQL and Redis, on the ports that .env names
	@docker/compose development up --build --wait || { echo 'make up: not everything started; the reason is above, or in `make logs`. Where a port is taken, set API_PORT, POSTGRES_PORT or REDIS_PORT in .env.' >&2; exit 1; }
	@docker compose ps && echo 'Edit a file under apps/ or libs/ and reload; `make down` keeps the data.'

down: ## stop what `make up` started; the data stays
	@docker compose --profile '*' down

logs: ## follow the logs of what `make up` started
	@docker compose logs --follow --tail=100

certs: ## make a certificate for https://localhost:8443 (docker compose --profile https up)
	@docker/make-certs

test-docker: $(INSTALLED) ## build the image and try every environment in Docker, beside whatever else runs
	@nx run docker:test-docker --output-style=stream-without-prefixes

rename: $(INSTALLED) ## give the workspace your own name: make rename NAME=<name>
	@node tools/rename.mjs '$(NAME)'

# For machines without Node too; `airlock setup` leaves it as it is. Of two at once the first one counts.
.env:
	@umask 077; password=$$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n') && example=$$(sh tools/choose-ports.sh <.env.example) && \
	  printf '%s\n' "$$example" | sed "/^#/!s/changethis/$$password/" >$@.$$$$ && \
	  mv -n $@.$$$$ $@; rm -f $@.$$$$; [ -e $@ ]
