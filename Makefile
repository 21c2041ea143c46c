# The only commands there are. `make` alone lists them.
PYTHON ?= python3
WORKERS ?= 3
# What to build for: a parameter of the template too, so that PARAMETERS may name it as well.
given = $(patsubst $(1)=%,%,$(filter $(1)=%,$(PARAMETERS)))
ARCH ?= $(or $(call given,Architecture),x86_64)
RUNTIME := 3.13
BUILD := .aws-sam/build
STACK ?= maas
VENV := .venv
SAM_VENV := .venv-sam
LINT_VENV := .venv-lint
CLOUD_VENV := .venv-cloud
NODE_VENV := .venv-node
PEER_VENVS := .venv-kserve .venv-mlserver .venv-clients .venv-reference .venv-fastembed
TORCH_VENV := .venv-torch
PEER_PYTHON ?= >=3.11,<3.13
RUN := $(VENV)/bin
# Nothing is resolved here: every version and hash is in the lock files. uv is fast; where it reaches no index,
# pip does the same slowly, with this machine's own pip configuration.
LOCKED := --require-hashes --no-deps -r
PIP_INSTALL := -m pip install -qq --disable-pip-version-check $(LOCKED)
install = $(RUN)/uv pip install --quiet --python $(1) $(LOCKED) $(2) || \
	{ echo "uv did not get it: trying pip, a minute"; $(1)/bin/python $(PIP_INSTALL) $(2); }
UV_COMPILE := $(RUN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --no-emit-package maas
IN_OTHER_LAYERS := --no-emit-package numpy --no-emit-package protobuf --no-emit-package typing-extensions
# Wheels for Lambda, from any machine.
WHEELS_x86_64 := x86_64
WHEELS_arm64 := aarch64
TARGET = $(or $(WHEELS_$(ARCH)),$(error ARCH is $(ARCH): expected x86_64 or arm64))
LAYER_PIP = "$(abspath $(RUN)/python)" -m pip install --quiet --require-hashes --no-deps --only-binary=:all: --no-compile \
	--python-version $(RUNTIME) --implementation cp \
	$(foreach glibc,2_28 2_27 2_24 2_17,--platform manylinux_$(glibc)_$(TARGET)) --platform manylinux2014_$(TARGET)
# tokenizers asks for it only to download files, which nothing here does.
WITHOUT_HUB := --overrides requirements/overrides.txt
LAYER := --python-version $(RUNTIME) --python-platform x86_64-manylinux_2_28 --constraints requirements/dev.txt

export SAM_CLI_TELEMETRY := 0
# The tests start hundreds of processes: each would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help dev demo test test-all check format docs build bytecode console serve deploy contract sam-test cloud-test console-test screenshots aws-smoke bench models peers torch lock clean

help: ## this list
	@grep -hE '^[a-zA-Z%-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 24

dev: $(VENV)/.done ## set up .venv with everything but SAM

$(VENV)/.done: requirements/uv.txt requirements/dev.txt pyproject.toml local/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	@echo "Setting up $(VENV) (once, less than a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)/python $(PIP_INSTALL) requirements/uv.txt
	@$(call install,$(VENV),requirements/dev.txt)
	@$(RUN)/uv pip install --quiet --python $(VENV) --no-deps --no-build-isolation --editable . --editable local
	@touch $@

$(SAM_VENV)/.done $(LINT_VENV)/.done $(CLOUD_VENV)/.done $(NODE_VENV)/.done: .venv-%/.done: requirements/%.txt $(VENV)/.done
	@echo "Setting up .venv-$* (once)"
	@$(PYTHON) -m venv .venv-$*
	@$(call install,.venv-$*,$<)
	@touch $@

$(VENV)/.browser: requirements/browser.txt $(VENV)/.done
	@echo "Adding Playwright to $(VENV) (once)"
	@$(call install,$(VENV),requirements/browser.txt)
	@touch $@

demo: dev ## train, push, predict: the main job on real data, in half a minute
	@$(RUN)/python -m maas_local.demo

console: dev ## fetch the libraries of the page at /console, with npm
	@command -v npm >/dev/null || [ -e $(NODE_VENV)/.done ] || $(MAKE) --no-print-directory $(NODE_VENV)/.done || true
	@$(RUN)/python requirements/console.py $(NODE_VENV)/bin/python

serve: dev ## the whole system on http://127.0.0.1:8080, without AWS or Docker
	-@$(MAKE) --no-print-directory --silent console
	@$(RUN)/maas local

test: dev ## a test of every part, in three minutes, set-up included
	@$(RUN)/pytest --quick --numprocesses $(WORKERS)

test-all: dev ## every test that needs no engine beside Python
	@$(RUN)/pytest --numprocesses $(WORKERS)

check: export AWS_DEFAULT_REGION ?= us-east-1
check: dev $(SAM_VENV)/.done $(LINT_VENV)/.done ## format, lint, types, template
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/lint-imports --no-cache --no-logo
	@$(RUN)/mypy
	@for folder in functions/*/; do (cd $$folder && "$(abspath $(RUN)/mypy)" --config-file ../../pyproject.toml .) || exit 1; done
	@$(SAM_VENV)/bin/sam validate --lint
	@$(SAM_VENV)/bin/python tests/sam/transformed.py template.yaml
	@$(LINT_VENV)/bin/cfn-lint template.yaml
	@$(LINT_VENV)/bin/checkov --quiet --compact --config-file .checkov.yaml
	@$(LINT_VENV)/bin/python requirements/audit.py $(LINT_VENV)/bin/pip-audit

format: dev ## put the code in order, and generate what is generated
	@$(RUN)/python client/generate_sync.py
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .

docs: dev ## write docs/cli.md and docs/python.md anew from the code
	@$(RUN)/python client/generate_reference.py
	@$(RUN)/typer --app commands maas_client.cli utils docs --name maas --title "The maas command" --output docs/cli.md

build: dev $(SAM_VENV)/.done ## layers and functions into .aws-sam/build
	-@$(MAKE) --no-print-directory --silent console
	@LAYER_PIP='$(LAYER_PIP)' $(SAM_VENV)/bin/sam build --parameter-overrides Architecture=$(ARCH)
	@$(MAKE) --no-print-directory bytecode
	@$(RUN)/python tests/sam/layers.py $(BUILD) $(ARCH)

# Without it, every cold start compiles what it imports. It has to be the bytecode of the functions' own Python: pyenv and uv
# know Pythons that the PATH does not. The layers' is not checked, since times of files do not survive a zip file.
bytecode: export PYENV_VERSION := $(RUNTIME)
bytecode:
	@for python in $(RUN)/python python$(RUNTIME) "$$($(RUN)/uv python find --no-python-downloads $(RUNTIME) 2>/dev/null)" ""; do \
	  "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(RUNTIME)")' 2>/dev/null && break; done; \
	if [ -z "$$python" ]; then echo "No Python $(RUNTIME) is here to compile with: each cold start will, for about twice the time"; exit; fi; \
	for one in $(BUILD)/*Layer/python; do \
	  "$$python" -m compileall -qq --invalidation-mode unchecked-hash -s "$$one" -p /opt/python "$$one" || exit; done; \
	for one in functions/*/; do \
	  "$$python" -m compileall -qq --invalidation-mode checked-hash -s "$$one" -p /var/task "$$one" || exit; done

invoke-%: build ## one event under `sam local invoke`: invoke-InferenceFunction EVENT=events/inference_infer.json
	@PYTHONPATH=tests SAM="$(abspath $(SAM_VENV)/bin/sam)" $(RUN)/python -m support.sam_cli $* $(EVENT)

contract: dev ## the registry on DynamoDB Local too: DYNAMODB_LOCAL_URL=http://127.0.0.1:8000
	@$(RUN)/pytest tests/contract

deploy: build ## into your AWS account, as the stack STACK=maas; parameters in PARAMETERS="Name=value …"
	@$(SAM_VENV)/bin/sam deploy --stack-name $(STACK) $(ARGS) --parameter-overrides Release=$$(date +%s) \
	  Architecture=$(ARCH) $(filter-out Architecture=%,$(PARAMETERS))
	@$(SAM_VENV)/bin/sam list stack-outputs --stack-name $(STACK) --output json | $(RUN)/python -m maas_local.next_steps

sam-test: build ## the end-to-end suite and every event under the real `sam local` (needs Docker)
	@SAM="$(abspath $(SAM_VENV)/bin/sam)" $(RUN)/pytest tests/sam tests/e2e --stack=sam $(ARGS)

cloud-test: build $(CLOUD_VENV)/.done ## the same suite on what `make deploy` deploys, and its updates, in an AWS emulator (needs Docker)
	@SAM="$(abspath $(SAM_VENV)/bin/sam)" $(RUN)/pytest tests/e2e tests/cloud --stack=cloud $(ARGS)

aws-smoke: build ## deploy under a throw-away name into your AWS account, drive it, delete it, print what it cost
	@PYTHONPATH=tests $(RUN)/python tests/cloud/smoke.py $(PARAMETERS)

console-test: $(VENV)/.browser console ## the console in Chromium (the one on the PATH, or MAAS_CHROMIUM)
	@$(RUN)/pytest tests/browser $(ARGS)

screenshots: $(VENV)/.browser console ## write docs/images anew: every page of the console, in six minutes
	@PYTHONPATH=tests $(RUN)/python -m support.browser.screenshots

models: dev ## push the real models of tests/zoo and write docs/models.md
	@PYTHONPATH=tests $(RUN)/python -m benchmarks.zoo

bench: dev ## speed as ratios to what it could be
	@PYTHONPATH=tests $(RUN)/python -m benchmarks $(ARGS)

peers: $(PEER_VENVS:=/.done) ## set up other servers, clients and libraries, each alone, for tests and `make bench`

torch: $(TORCH_VENV)/.done ## sentence-transformers and infinity-emb, some GB: for a test of tests/zoo and `make bench ARGS=text`

.venv-%/.done: requirements/%.txt $(VENV)/.done
	@echo "Setting up .venv-$* (once)"
	@$(RUN)/uv venv --quiet --allow-existing --python '$(PEER_PYTHON)' .venv-$*
	@$(RUN)/uv pip install --quiet --python .venv-$* $(LOCKED) $<
	@touch $@

lock: $(VENV)/.done ## write the lock files anew from pyproject.toml: pins and hashes, no addresses
	@$(UV_COMPILE) --universal --python-version 3.11 --group uv -o requirements/uv.txt
	@$(UV_COMPILE) --universal --python-version 3.11 $(WITHOUT_HUB) --group dev pyproject.toml -o requirements/dev.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --constraints requirements/dev.txt --group browser -o requirements/browser.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group node -o requirements/node.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group sam -o requirements/sam.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group lint -o requirements/lint.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group cloud -o requirements/cloud.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group kserve -o requirements/kserve.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group mlserver -o requirements/mlserver.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group clients -o requirements/clients.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group reference -o requirements/reference.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group fastembed -o requirements/fastembed.txt
	@$(UV_COMPILE) --universal --python-version 3.11 --group torch -o requirements/torch.txt
	@$(UV_COMPILE) --no-deps --python-version 3.11 --group zoo -o requirements/zoo.txt
	@$(UV_COMPILE) $(LAYER) $(WITHOUT_HUB) --group layer-onnxruntime -o layers/onnxruntime/requirements.txt
	@$(UV_COMPILE) $(LAYER) --group layer-maas -o layers/maas/requirements.txt
	@$(UV_COMPILE) $(LAYER) --group layer-parquet -o layers/parquet/requirements.txt
	@$(UV_COMPILE) $(LAYER) --group layer-quantization $(IN_OTHER_LAYERS) -o layers/quantization/requirements.txt

clean: ## remove what these commands made
	rm -rf $(VENV) $(SAM_VENV) $(LINT_VENV) $(CLOUD_VENV) $(NODE_VENV) $(PEER_VENVS) $(TORCH_VENV) .aws-sam
