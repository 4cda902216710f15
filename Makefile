# The whole developer interface. `make help` lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run live-check test test-long test-fast test-clients test-plain compat test-browser test-browsers test-faults test-scale check lint format generate lock audit sbom release \
        messages screenshots a11y lighthouse bench bench-peers truth truth-mutants mutants clean python system node

# Tests and benches start hundreds of processes, each of which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps
PYTEST := $(PY) -m pytest
# A lock says what is inside, not what needs what: the missing graph is not worth a warning.
SBOM := $(PY) -W ignore:The.Component.this.BOM::cyclonedx.model.bom -m cyclonedx_py requirements \
    --pyproject pyproject.toml --spec-version 1.6 --output-reproducible
SBOM_FOLDER := .
# Three processes keep two cores busy, since much of it is waiting; `tests/scheduling.py` says which files are taken when.
ALL_TESTS := --numprocesses 3 --dist loadfile --no-loadscope-reorder tests/scale tests/browser tests/faults \
    tests/payment_service tests/truth tests/security tests/complaints tests/cli tests/sandbox tests/ui tests/contract tests/clients tests/unit
SYSTEM_PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
RUN_STAMP := $(VENV)/.installed-run
PAYMENT_SERVICE_STAMP := $(VENV)/.installed-payment-service
DEV_STAMP := $(VENV)/.installed-dev
NODE_STAMP := clients/node/node_modules/.package-lock.json
TYPES_STAMP := tests/clients/typescript/node_modules/.package-lock.json

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# With a test key of Stripe and no Payment MS of one's own: the app with the service in payment_service/.
PRACTICE := $(and $(STRIPE_SECRET_KEY),$(if $(PAYMENT_MS_API_KEY),,yes))

run: $(if $(PRACTICE),$(PAYMENT_SERVICE_STAMP),$(RUN_STAMP)) ## Start the app, with its sandbox or (STRIPE_SECRET_KEY=sk_test_…) with your Stripe: http://localhost:8081
	@exec $(PY) $(if $(PRACTICE),-m payment_service practice,app.py)

live-check: $(PAYMENT_SERVICE_STAMP) ## Buy, cancel and refund with your own STRIPE_SECRET_KEY=sk_test_…, step by step
	@$(PY) -m payment_service live-check

test: $(DEV_STAMP) system node ## Run all tests but the longest, those with Chromium, Redis, HAProxy, Node and Go included
	$(PYTEST) -m "not long" $(ALL_TESTS)

test-long: $(DEV_STAMP) system node ## Run the longest proofs, which `make test` leaves out (some minutes)
	@tools/system_packages.sh postgres
	$(PYTEST) -m long
	ALL_EXAMPLES=1 $(PYTEST) -m examples

test-fast: $(DEV_STAMP) ## Run the quick tests of units and pages: no browser, no other servers
	$(PYTEST) --numprocesses 3 -m "not browser and not faults and not scale and not slow and not long" tests/unit tests/ui tests/clients

test-clients: $(DEV_STAMP) ## Run the tests of the clients for Python, Node and Go (installs the two)
	@tools/system_packages.sh clients
	@$(MAKE) --no-print-directory $(NODE_STAMP) $(TYPES_STAMP)
	$(PYTEST) tests/clients

test-plain: $(DEV_STAMP) system ## Run the page and browser tests with every optimization off
	PLAIN_PAGES=1 $(PYTEST) --numprocesses 2 --dist loadfile tests/ui tests/browser

compat: $(DEV_STAMP) system ## Try older releases of NiceGUI in fresh environments; write docs/compatibility.md
	$(PY) -m tools.compat

test-browser: $(DEV_STAMP) system ## Run the tests in Chromium
	$(PYTEST) -m browser

test-browsers: $(DEV_STAMP) ## Buy in Firefox and in WebKit, as Debian ships them; not part of `make test`
	@tools/system_packages.sh engines
	$(PYTEST) tests/engines

test-faults: $(DEV_STAMP) system ## Run every fault against real sockets and print the matrix
	$(PYTEST) tests/faults

test-scale: $(DEV_STAMP) system ## Run the tests with several replicas behind HAProxy
	$(PYTEST) tests/scale

truth: $(DEV_STAMP) ## Play 2,000 random stories against app and sandbox (STORIES=100000 goes on where it was stopped)
	$(PY) -m truth --stories $${STORIES:-2000} --state .data/truth-$${STORIES:-2000}.json

truth-mutants: $(DEV_STAMP) ## Break the app in every way that the rules of evidence forbid, and see it found
	$(PY) -m truth --mutants

check: $(DEV_STAMP) ## Lint, format check, types, and which module may import which
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

lint: $(DEV_STAMP) ## Lint only
	$(PY) -m ruff check .

format: $(DEV_STAMP) ## Sort imports and format
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

generate: $(DEV_STAMP) ## Write .env.example and products.schema.json from the code
	$(PY) -m tools.generate

lock: $(DEV_STAMP) ## Write requirements/*.txt from pyproject.toml (UPGRADE=1 takes the newest)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" tools/lock.sh

audit: $(RUN_STAMP) ## Ask for known weaknesses of the locked packages; fails where no source of advisories can be reached
	@$(PY) -m tools.audit

sbom: $(DEV_STAMP) ## Write sbom.cdx.json and sbom-otel.cdx.json: every locked package of the app, as CycloneDX
	$(SBOM) --output-file $(SBOM_FOLDER)/sbom.cdx.json requirements/run.txt
	$(SBOM) --output-file $(SBOM_FOLDER)/sbom-otel.cdx.json requirements/otel.txt

release: $(DEV_STAMP) ## Build what can be published into dist/: image context, SBOMs, clients' packages, notes, checksums
	@rm -rf dist && mkdir dist
	@$(MAKE) --no-print-directory sbom SBOM_FOLDER=dist
	@$(PY) -m tools.release dist
	@ls -1 dist

messages: $(DEV_STAMP) ## Bring locales/*.po up to the texts in the code, and list what is untranslated
	$(PY) -m tools.messages

screenshots: $(DEV_STAMP) system ## Make docs/screenshots: every page and state, three widths, light and dark
	$(PY) -m tools.screenshots

a11y: $(DEV_STAMP) system ## Run axe over all pages, states, themes and languages
	$(PY) -m tools.a11y

lighthouse: $(DEV_STAMP) system ## Measure the pages with Lighthouse (wants Node 20; its package goes into a temporary folder)
	$(PY) -m tools.lighthouse

bench: $(DEV_STAMP) system ## Measure; write bench/results.json and the table in docs/performance.md
	$(PY) -m bench

bench-peers: $(DEV_STAMP) ## Measure a stranger's page beside Next.js and nginx (wants Node 20 and nginx); write its table
	$(PY) -m bench.peers

mutants: $(DEV_STAMP) ## Change the rules in 200 ways and see that tests notice; write docs/mutants.md (some minutes)
	$(PY) -m tools.mutants --write

clean: ## Remove the virtual environment and the caches, but no data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

python:
	@test -n "$(SYSTEM_PYTHON)" || { echo "This needs Python 3.11 or newer; found: \
	$$(python3 --version 2>&1 || true). Install one and run make again." >&2; exit 1; }

system:
	@tools/system_packages.sh

# Where npm reaches no packages the tests go on without Node, and say so; `make test-clients` fails.
node:
	@$(MAKE) --no-print-directory $(NODE_STAMP) || echo "The tests of the Node client are left out." >&2

$(NODE_STAMP) $(TYPES_STAMP): %/node_modules/.package-lock.json: %/package-lock.json
	@echo "Installing $<"
	@cd $* && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

$(RUN_STAMP): requirements/run.txt | python
	@$(PY) -c '' 2>/dev/null || $(SYSTEM_PYTHON) -m venv --clear $(VENV)
	@echo "Installing $<"
	@$(PIP) --requirement $<
	@touch $@

$(PAYMENT_SERVICE_STAMP): requirements/payment-service.txt | $(RUN_STAMP)
	@echo "Installing $<"
	@$(PIP) --requirement $<
	@touch $@

$(DEV_STAMP): requirements/dev.txt | $(RUN_STAMP)
	@echo "Installing $<"
	@$(PIP) --requirement $<
	@touch $@
