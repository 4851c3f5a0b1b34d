# The one interface: people, pre-commit and CI call these targets. Each sets the environment up first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
STAMP := $(VENV)/.installed
IMAGES ?=
# Of the localisers, the one that decides best on phantoms.
BUNDLE ?= cxr_multiscale_localization
OUTPUT ?= build/demo
PART ?= localisation
NIH ?= ../shared/nih
ROAD ?= build/pipeline
CASES ?= build/cases
QUICK ?=
# A test process for each core; the tests of a file stay together and share what they make.
PARALLEL ?= --numprocesses auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo pipeline test test-all cases coverage lint format types check bundles schemas pack release test-pack test-label verify results bench tables clean test-pacs test-viewer test-browser test-deploy faults test-ray

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	# torch first and pinned: any other way to ask for it can pull gigabytes of CUDA libraries.
	$(BIN)/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test,dev]"
	touch $@

setup: $(STAMP)  ## make the virtual environment in .venv and install everything

demo: setup  ## findings on six phantom DICOMs, or on yours: make demo IMAGES=folder [BUNDLE=name]
	$(RUN) -m cxr_tools.demo --bundle bundles/$(BUNDLE) --output $(OUTPUT) $(if $(IMAGES),--images "$(IMAGES)")

test: setup  ## run the tests (minutes on two cores)
	$(RUN) -m pytest $(PARALLEL)

test-all: setup  ## run the slow tests too
	$(RUN) -m pytest $(PARALLEL) -m "not pacs and not browser and not deploy and not ray"

test-pacs: setup  ## the round trip through a PACS, Orthanc, that it starts and stops
	@test -x /usr/sbin/Orthanc -a -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so || \
		echo "NOT TESTED: Orthanc with DICOMweb is missing (apt-get install orthanc orthanc-dicomweb)"
	$(RUN) -m pytest -m pacs tests/cxr_tools/pacs

test-ray: setup  ## an archive on a Ray cluster of several nodes that it starts on this machine
	$(RUN) -m pytest -m ray tests

OHIF := @ohif/app@3.13.2
test-viewer: setup  ## the results in OHIF, a viewer that npm fetches, over Orthanc and in Chromium
	mkdir -p build/ohif
	test -d build/ohif/package/dist || (cd build/ohif && npm pack --silent $(OHIF) && tar xzf ohif-app-*.tgz)
	CXR_OHIF=$(abspath build/ohif/package/dist) $(RUN) -m pytest -m pacs tests/cxr_tools/pacs/test_ohif.py

test-browser: setup  ## the page in a real browser, Chromium
	@command -v "$${CXR_CHROMIUM:-chromium}" >/dev/null || echo "NOT TESTED: Chromium is missing (apt-get install chromium)"
	$(RUN) -m pytest -m browser tests

cases: setup  ## what real files and mistakes come to, each run as a user does: a table of right and wrong
	$(RUN) -m tests.cases --output $(CASES)

coverage: setup  ## run the tests, show which lines none of them reaches, and hold coverage above the floor of pyproject.toml
	$(RUN) -m pytest $(PARALLEL) --cov --cov-report=term

lint: setup  ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## rewrite to the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## check types
	$(BIN)/mypy

check: lint types coverage  ## all that a change must pass

bundles: setup  ## write the bundles' configs from their bundle.yaml and the templates in tools/bundles
	$(RUN) -m tools.bundles

pack: setup  ## zips that run alone, in dist: make pack [SOURCE=address where they will lie], see docs/how-to/pack.md
	$(RUN) -m tools.pack $(if $(SOURCE),--source "$(SOURCE)")

release: setup  ## zips, wheels, folders for Hugging Face and the model zoo, checked, in dist: make release [OWNER=name] [FINAL=1], see docs/how-to/release.md
	$(RUN) -m tools.release $(if $(OWNER),--owner "$(OWNER)") $(if $(SOURCE),--source "$(SOURCE)") $(if $(FINAL),--final)

PACK_ENV := build/pack-env
test-pack: pack  ## test the zips in a fresh environment of their own packages (half an hour)
	test -x $(PACK_ENV)/bin/python || $(PYTHON) -m venv $(PACK_ENV)
	unzip -qoj dist/cxr_pylon_localization_v*.zip "*/requirements-train.txt" -d $(PACK_ENV)
	$(PACK_ENV)/bin/pip install --quiet "$$(grep '^torch==' $(PACK_ENV)/requirements-train.txt)"
	$(PACK_ENV)/bin/pip install --quiet --requirement $(PACK_ENV)/requirements-train.txt
	PACK_PYTHON=$(abspath $(PACK_ENV))/bin/python $(RUN) -m pytest tests/tools/pack -m "slow or not slow"

LABEL_ENV := build/label-env
test-label: pack  ## start MONAI Label with the zips on this machine and ask it for everything (half an hour)
	unzip -qoj dist/cxr_pylon_localization_v*.zip "*/requirements-train.txt" -d build
	test -x $(LABEL_ENV)/bin/monailabel || common/cxr_tools/monai_label/make_environment.sh $(LABEL_ENV) build/requirements-train.txt
	LABEL_PYTHON=$(abspath $(LABEL_ENV))/bin/python $(RUN) -m pytest tests/label -m "slow or not slow"

DEPLOY_ENV := build/deploy-env
test-deploy: setup  ## run bundles in MONAI Deploy, in an environment that it makes
	test -d $(DEPLOY_ENV)/lib/python3*/site-packages/monai/deploy || \
		common/cxr_tools/deploy/make_environment.sh $(DEPLOY_ENV) $(RUN)
	DEPLOY_PYTHON=$(abspath $(DEPLOY_ENV))/bin/python $(RUN) -m pytest -m deploy tests/deploy

schemas: setup  ## write docs/schemas from the models of datalist.json, findings.json and thresholds.json
	$(RUN) -m tools.schemas

verify: BUNDLE = $(wildcard bundles/*)
verify: setup  ## check bundles, folders or zips, as docs/how-to/verify.md says: make verify [BUNDLE=path] [OPTIONS=--exports]
	$(RUN) -m cxr_verify $(BUNDLE) $(OPTIONS)

results: setup  ## train and score what docs/explanation/localization.md shows (hours; resumes): make results PART=localisation [QUICK=1]
	$(RUN) -m tools.results run --part $(PART) $(if $(QUICK),--quick)

pipeline: setup  ## from image labels to a segmenter and its report: make pipeline [NIH=folder ROAD=output] (hours; resumes)
	$(RUN) -m cxr_tools prepare csv --mapping shared_nih --root "$(NIH)" --output "$(ROAD)/nih.json" \
		--set 'images.splits={training: training, validation: validation, testing: null, localisation: testing}'
	$(RUN) -m cxr_tools pipeline --settings nih --datalist "$(ROAD)/nih.json" --dataset-dir "$(NIH)" --output "$(ROAD)/out"

bench: PART = random_walk
bench: setup  ## time something on an idle machine: make bench PART=random_walk
	$(RUN) -m tools.bench $(PART)

faults: setup  ## kill trainings, read changed files, run the tests of failing disks and machines (an hour or two)
	$(RUN) -m tools.faults $(FAULTS)

tables: setup  ## render the measured figures into README, cards and docs
	$(RUN) -m tools.results render

clean:  ## remove what was built here
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
