# `make` lists what can be made. Recipes are thin: the work is in tools and in the Pulumi program.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# The Python that .venv was made with stays the one, whatever python3 is elsewhere.
PYTHON ?= $(shell .venv/bin/python -c '' 2>/dev/null && echo .venv/bin/python || echo python3)
STACK ?= local
export YES SNAPSHOT APP AS

tool := $(PYTHON) -m tools.toolchain
shell := source tools/env.sh
on_stack := $(shell) && python -m tools.stacks

.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@echo "make WHAT [STACK=local]"
	@echo
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r what text; do \
	  printf '  %-14s %s\n' "$$what" "$$text"; done

.PHONY: up
up: toolchain ## Bring the hub up, or to its new settings; then say where it is and how to sign in
	@$(on_stack) up $(STACK)

.PHONY: rebuild
rebuild: toolchain ## Make the cloud's machine anew: newest image, same disk, same address; users' servers end
	@$(on_stack) rebuild $(STACK)

.PHONY: preview
preview: toolchain ## Show what `make up` would change, and change nothing
	@$(on_stack) preview $(STACK)

.PHONY: status
status: toolchain ## Say how the hub, its certificate, disk, memory, backups and users' servers are
	@$(on_stack) status $(STACK)

.PHONY: prune
prune: toolchain ## Remove images that no menu and no container needs; the hub does so by itself, too
	@$(on_stack) prune $(STACK)

.PHONY: backup
backup: toolchain ## Make a backup now
	@$(on_stack) backup $(STACK)

.PHONY: snapshots
snapshots: toolchain ## List the backups that there are
	@$(on_stack) snapshots $(STACK)

.PHONY: restore
restore: toolchain ## Stop the hub, put the latest backup back (or SNAPSHOT=ID), start the hub (asks first)
	@$(on_stack) restore $(STACK)

.PHONY: publish
publish: toolchain ## Publish a menu entry's image for other hubs: APP=wendihub AS=you/wendihub:1.0
	@$(on_stack) publish $(STACK)

.PHONY: down
down: toolchain ## Remove all that `make up` made, users' servers too, but not users' files
	@$(on_stack) down $(STACK)

.PHONY: purge
purge: toolchain ## Do what `make down` does, and remove users' files too (asks first; YES=1: does not ask)
	@$(on_stack) purge $(STACK)

.PHONY: test
test: test-unit test-docker ## Run all tests: first those that need nothing, then those on a real Docker engine

.PHONY: test-unit
test-unit: venv-dev ## Run the tests that need no Docker and no network
	.venv/bin/pytest -n auto --dist loadfile

.PHONY: test-docker
test-docker: venv-dev toolchain engine browser ## Run the tests that deploy to a real Docker engine
	@$(shell) && pytest -m docker

.PHONY: test-images
test-images: venv-dev toolchain engine browser ## Build every application hub, and try what it is for
	@$(shell) && pytest -m applications

.PHONY: test-vm
test-vm: venv-dev toolchain engine browser ## Run the tests that boot a virtual machine
	@$(shell) && pytest -m vm

.PHONY: test-openstack
test-openstack: venv-dev toolchain engine browser ## Run the tests that deploy to a whole OpenStack in a container
	@$(shell) && pytest -m openstack

.PHONY: check
check: venv-dev shellcheck ## Check format, style, types and shell scripts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	{ git ls-files -z -- '*.sh'; git grep -Ilz -E '^#!.*\b(ba)?sh$$' -- ':!*.py' ':!*.md'; } | sort -zu | xargs -0 shellcheck

.PHONY: venv
venv: ## Install the program's Python packages into .venv
	@$(tool) venv

.PHONY: toolchain
toolchain: ## Have Pulumi and its plug-ins ready; afterwards `source tools/env.sh` prepares a shell for pulumi
	@$(tool) toolchain

.PHONY: engine
engine: ## Have a Docker engine and the image that ours start from
	@$(tool) engine

.PHONY: env
env: toolchain engine ## Show the settings that `source tools/env.sh` makes
	@$(shell) && env | grep -E '^(PATH|VIRTUAL_ENV|PULUMI_[A-Z_]+|CYBERHUBS_[A-Z_]+)=' | grep -v '^PULUMI_CONFIG_PASSPHRASE=' | sort

.PHONY: venv-dev browser shellcheck
venv-dev browser shellcheck:
	@$(tool) $@
