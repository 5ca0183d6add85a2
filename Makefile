# Each target works alone in a fresh clone: it makes what it needs first.
.DEFAULT_GOAL := help
# Two setup scripts at once would fight over apt's lock.
.NOTPARALLEL:

BIN := .venv/bin
# More arguments for pytest, as in: make test PYTEST_ARGS='-k wire -x'
PYTEST_ARGS ?=
BENCH_ARGS ?=
# Proofs on a cluster mostly wait for pods; how many of them start at once is for the package to say.
CLUSTER_WORKERS ?= 6
CLUSTER_SCENARIOS := scenarios/sre scenarios/finops scenarios/compliance
# Models that need no key and no GPU: the reference solutions, one that does nothing, recorded answers, a small real one.
DEMO_MODELS := --itbench-model=oracle --itbench-model=noop --itbench-model=replay:fixtures/candidates/sample.jsonl \
  --itbench-model=local:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: setup-python setup-engine ## Make .venv and see that Docker answers (the other targets do this themselves)

.PHONY: setup-python
setup-python: ## Only .venv
	@scripts/setup-python

.PHONY: setup-browser
setup-browser: ## Only a browser, for the tests of the report's page
	@scripts/setup-browser

.PHONY: setup-engine
setup-engine: ## Only Docker
	@scripts/setup-engine

# Status 1 (some tests failed) is what a demo shows: all but one of the models miss.
.PHONY: demo
demo: setup ## Run the easy scenarios against built-in models, without any key
	@$(BIN)/pytest scenarios -m easy $(DEMO_MODELS) --itbench-attempts=2 --itbench-k=1,2 --itbench-max-tokens=300 -n auto \
	  -p no:cacheprovider --tb=no -rN $(PYTEST_ARGS) \
	  || test $$? -eq 1

.PHONY: test
test: setup setup-browser ## Run this project's own tests
	@$(BIN)/pytest tests -n auto $(PYTEST_ARGS)

.PHONY: test-cluster
test-cluster: setup ## Only the tests that need a cluster (PYTEST_ITBENCH_KUBECONFIG, or kind)
	@$(BIN)/pytest tests/cluster -n 4 $(PYTEST_ARGS)

.PHONY: test-vllm
test-vllm: setup-python ## Run the tests that start vLLM, which is installed for them (3 GB)
	@python=$$(scripts/setup-vllm) && PYTEST_ITBENCH_VLLM_PYTHON=$$python $(BIN)/pytest tests/vllm $(PYTEST_ARGS)

.PHONY: lint
lint: lint-style lint-types lint-imports lint-shell lint-playbooks ## Style, types, import floors, scripts, solutions

.PHONY: lint-style lint-types lint-imports lint-shell lint-playbooks
lint-style: setup-python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
lint-types: setup-python
	$(BIN)/mypy
lint-imports: setup-python
	$(BIN)/lint-imports
lint-shell:
	@if command -v shellcheck >/dev/null; then set -x; shellcheck -x scripts/setup-* scripts/lock-vllm scripts/test-wheel .ci/run; \
	  else echo 'shellcheck is not installed: shell scripts not checked'; fi
lint-playbooks: setup-python
	@lint=$$(scripts/setup-ansible-lint) && set -x && \
	  $$lint --offline --profile production -q scenarios/*/*/solution/playbook.yml

.PHONY: check
check: setup ## Prove each scenario that changed: its solution passes, its counterexamples fail
	@$(BIN)/pytest-itbench check scenarios -n auto --itbench-proofs=reports/proofs.json $(PYTEST_ARGS)

# The proofs that are kept lie elsewhere until all are made: what ends early goes on when it is called again.
.PHONY: prove
prove: setup ## Prove all of them anew, each proof five times (hours), and keep that under reports/
	@$(BIN)/pytest-itbench check scenarios -n auto --itbench-repeat=5 --itbench-proofs=build/proofs.json $(PYTEST_ARGS)
	@mv build/proofs.json reports/proofs.json
	@$(BIN)/python scripts/generate-docs

.PHONY: check-cluster
check-cluster: setup ## The same on a cluster (PYTEST_ITBENCH_KUBECONFIG, or kind)
	@$(BIN)/pytest-itbench check $(CLUSTER_SCENARIOS) -m cluster -n $(CLUSTER_WORKERS) $(PYTEST_ARGS)

.PHONY: docs
docs: setup-python ## Write the generated parts of docs/ and build the pages
	@$(BIN)/python scripts/generate-docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: bench
bench: setup ## Measure what an attempt costs
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

.PHONY: clean
clean: ## Remove caches, builds and reports; .venv stays
	@rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@git clean -fdqX reports
