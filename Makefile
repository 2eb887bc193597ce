# Everything starts here: `make demo` and `make test` need only Terraform, Python >= 3.11 and make.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON_DEV := .venv/bin/python
SOURCES := lambda_src local tests policy $(wildcard bench)
ENV ?= dev
TRANSCRIPT ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Python environments from uv.lock: .venv for work, .venv-stack and .venv-embedding for AWS's stand-ins
	@sh local/setup.sh dev stack embedding

build: setup ## the Lambda zip for AWS (arm64) in dist/, the same bytes every time
	@$(PYTHON_DEV) lambda_src/build.py

release: setup ## dist/release: zip, hash, bill of materials, release.json
	@$(PYTHON_DEV) lambda_src/release.py

up: terraform setup ## start the whole stack on this machine and say where it is
	@$(PYTHON_DEV) -m local up

# It takes the environment as it is: stopping needs no network, and without one nothing was ever started.
down: ## stop what `make up` started
	@if [ -x $(PYTHON_DEV) ]; then $(PYTHON_DEV) -m local down; else echo "nothing was running"; fi

demo: terraform setup ## remember, replay and ask about a conversation: ours, or TRANSCRIPT=file.jsonl ASK="a question"
	@$(PYTHON_DEV) -m local.demo $(if $(TRANSCRIPT),"$(TRANSCRIPT)")

test: lint ## lint, then every test; end-to-end tests bring up a stack of their own
	@echo "test: unit, contract, database, AWS, Terraform, build, end to end"
	@$(PYTHON_DEV) -m pytest --ignore tests/e2e --numprocesses 2
	@$(PYTHON_DEV) -m pytest tests/e2e

attack: $(if $(ATTACK_API_URL)$(STACK_JSON),,terraform) setup ## attack the tenant wall of ATTACK_API_URL or STACK_JSON, else of the stack that this starts
	@$(if $(ATTACK_API_URL)$(STACK_JSON),,$(PYTHON_DEV) -m local up)
	@$(if $(ATTACK_API_URL),,STACK_JSON="$(or $(STACK_JSON),$(or $(LOCAL_STATE),.local)/stack.json)") $(PYTHON_DEV) -m pytest --quiet tests/isolation

# It names TENANT and AGENT by the environment, as make hands on what its command line says.
analyze: setup ## what the archive of the running stack says (sql/analytics): of all, or of TENANT=name AGENT=name
	@$(PYTHON_DEV) -m local.analyze

faults: setup ## kill, lose, corrupt and turn the clock: 200 seeded runs, or SEED=n again
	@PYTHONPATH=lambda_src $(PYTHON_DEV) -m tests.faults $(if $(SEED),--seed $(SEED))

lint: terraform setup ## formatting, style, types, import rules, Terraform format
	@echo "lint: ruff, mypy, import rules, terraform fmt"
	@.venv/bin/ruff format --quiet --check $(SOURCES)
	@.venv/bin/ruff check --quiet $(SOURCES)
	@.venv/bin/mypy --no-error-summary $(SOURCES)
	@said=$$(PYTHONPATH=lambda_src .venv/bin/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }
	@$(PYTHON_DEV) -m local.terraform fmt -check -recursive terraform
	@$(PYTHON_DEV) -m local.terraform fmt -check -recursive examples
	@$(PYTHON_DEV) -m local.terraform fmt -check -recursive policy

scan: terraform setup ## checkov, with the checks of policy/, on modules, examples and the plan of each environment
	@$(PYTHON_DEV) -m pytest tests/terraform/test_checkov.py tests/terraform/test_policy.py

plan: terraform build ## terraform plan of ENV=dev|staging|prod, with your AWS credentials and the zip just built
	@$(PYTHON_DEV) -m local.plan $(ENV)

bench: build up ## measure against the budgets of the architecture
	@PYTHONPATH=lambda_src $(PYTHON_DEV) -m bench

# Before anything takes time: is Terraform here, and new enough?
terraform:
	@sh local/setup.sh
	@.venv-tools/bin/python -m local.terraform

.PHONY: help setup build release up down demo test attack faults analyze lint scan plan bench terraform
