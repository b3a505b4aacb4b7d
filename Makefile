# One-line doors to Nx and to the command `airlock`. `make` alone lists them.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help
INSTALLED := node_modules/.installed

$(INSTALLED): package-lock.json package.json .npmrc
	npm ci --no-audit && npm run --silent rebuild:allowed && touch $@

.PHONY: help dev test test-reset check fix test-deploy
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: $(INSTALLED) ## serve the API at http://localhost:8000 and reload on every edit
	@nx serve api

test: $(INSTALLED) ## run every project's tests against a PostgreSQL of their own
	@nx run-many -t test --output-style=static

test-reset: $(INSTALLED) ## make the long-lived test database anew; refuses any other
	@ENVIRONMENT=testing airlock db reset-test

check: $(INSTALLED) ## what CI checks besides the tests: format, lint, types, build
	@npm run --silent check

fix: $(INSTALLED) ## mend what the linter and the formatter can mend
	@npm run --silent fix

test-deploy: $(INSTALLED) ## deploy, break, roll back and promote on a local swarm, under load
	@nx run cli:test-deploy --output-style=stream
