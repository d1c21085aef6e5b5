# make train and make test install everything first. Requirements: Python >= 3.10, pip and git.
PYTHON ?= python3
# The pair that was tried; any from torch 2.10 on may be named. PyPI's for Linux on x86 bring CUDA and
# take 5 GB; without a GPU: make install TORCH='torch torchvision --index-url
# https://download.pytorch.org/whl/cpu' takes 1.5 GB.
TORCH ?= torch==2.14.1 torchvision==0.29.1

# A folder of wheels that `make wheelhouse` wrote: make install WHEELHOUSE=wheelhouse needs no internet.
WHEELHOUSE ?=
ifneq ($(WHEELHOUSE),)
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(abspath $(WHEELHOUSE))
endif

VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

CONFIG ?= configs/frcnn_cleargrasp_plates.py
# Two cores without a GPU train for about ten minutes. Where they compute in bfloat16, more epochs
# fit in. Images are read between steps: for so few of them, processes cost more than they bring.
BFLOAT16 := $(shell grep -sm1 -owE 'avx512_bf16|amx_bf16|bf16' /proc/cpuinfo)
AMP ?= $(if $(wildcard /dev/nvidia0),,$(if $(BFLOAT16),--amp))
EPOCHS ?= $(if $(AMP),16,12)
WORK_DIR := work_dirs/$(basename $(notdir $(CONFIG)))

# mmcv asks for opencv-python, which needs X libraries that servers and containers lack.
define HEADLESS_OPENCV
$(RUN) -m pip uninstall --quiet --yes opencv-python
$(RUN) -m pip install --quiet --only-binary :all: --force-reinstall --no-deps opencv-python-headless
endef

.PHONY: help install wheelhouse forks train test test-slow docs coverage lint format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED)  ## make .venv with all dependencies

# Wheels only: nothing is compiled. The project is installed in editable mode.
$(INSTALLED): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "error: $(PYTHON) is $$($(PYTHON) -V), expected 3.10 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "error: $(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@df -Pk . | awk 'NR == 2 && $$4 < 8e6 {print "warning: " int($$4 / 1e6) " GB of disk are free here, and the installation may take 6 (see TORCH in Makefile)"}'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip 'setuptools<81' wheel
	$(RUN) -m pip install --only-binary :all: $(TORCH) 'setuptools<81'
	$(RUN) -m pip install --only-binary :all: --no-build-isolation --editable '.[test,timm,render,pretrain,app,export,openvino,heic,labels]'
	$(HEADLESS_OPENCV)
	touch $@

# The versions that are installed here, for the same Python and platform elsewhere. opencv-python is
# there only because mmcv asks for it. An index that TORCH names is looked up as well.
wheelhouse: install  ## download the wheels for: make install WHEELHOUSE=wheelhouse
	mkdir -p wheelhouse
	$(RUN) -m pip freeze --all --local --exclude-editable > wheelhouse/requirements.txt
	$(RUN) -m pip download --only-binary :all: --no-deps --dest wheelhouse opencv-python opencv-python-headless wheel
	$(RUN) -m pip download --only-binary :all: --no-deps --dest wheelhouse --requirement wheelhouse/requirements.txt \
	    $(subst --index-url,--extra-index-url,$(filter-out torch%,$(TORCH)))
	$(RUN) -m pip wheel --no-deps --no-build-isolation --wheel-dir wheelhouse .

# mmcv and MMDetection are source packages of Python files alone. `make clean install` goes back.
forks: install  ## replace OpenMMLab's packages in .venv by maintained forks (onedl-*)
	$(RUN) -m pip uninstall --quiet --yes mmengine mmdet mmcv-lite mmcv
	$(RUN) -m pip install 'onedl-mmengine>=0.10.12,<0.11' 'onedl-mmcv>=2.3.6,<2.4' 'onedl-mmdetection>=3.5.1,<3.6'
	$(HEADLESS_OPENCV)

train: install  ## train, test and draw on the embedded data and checkpoint
	$(RUN) tools/train.py $(CONFIG) --work-dir $(WORK_DIR) --epochs $(EPOCHS) $(AMP) \
	    --cfg-options train_cfg.val_interval=4 train_dataloader.num_workers=0
	$(RUN) tools/test.py $(WORK_DIR)/$(notdir $(CONFIG)) \
	    "$$( (ls -t $(WORK_DIR)/best_*.pth 2>/dev/null || ls -t $(WORK_DIR)/epoch_*.pth) | head -1)" \
	    --show-dir drawn

test: install  ## the test suite, under ten minutes on two cores
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto

test-slow: install  ## the slow tests: the page in Chromium, ONNX, the tutorial …
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m slow

docs: install  ## the documentation as a site, into site/; broken links fail
	$(RUN) -m pip install --quiet --only-binary :all: --no-build-isolation --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict
	@echo "site/index.html; with search: $(RUN) -m http.server -d site"

coverage: install  ## the test suite with coverage, 1.5 to 2 times as long
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto --cov=mmdet_cleargrasp --cov=plate_renderer \
	    --cov-report=term:skip-covered

lint: install  ## check style, types and common mistakes
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: install  ## fix the formatting
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:  ## remove .venv, wheelhouse and the output of make train
	rm -rf $(VENV) wheelhouse $(WORK_DIR)
