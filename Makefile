# make train and make test do all of the set-up on a fresh machine: Python >= 3.10, pip and git.
PYTHON ?= python3
# The pair that was tried; any from torch 2.4 on may be named, such as a CUDA build of your cluster.
TORCH ?= torch==2.14.1 torchvision==0.29.1

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

.PHONY: help install train test test-slow lint format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED)  ## make .venv with everything in it

# Wheels only: nothing is compiled. The project itself is installed as a link to this folder.
$(INSTALLED): setup.cfg pyproject.toml
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip 'setuptools<81' wheel
	$(RUN) -m pip install --only-binary :all: $(TORCH) 'setuptools<81'
	$(RUN) -m pip install --only-binary :all: --no-build-isolation --editable '.[test,timm,render,pretrain,app,export,heic]'
	touch $@

train: install  ## train, test and draw on the embedded data and checkpoint
	$(RUN) tools/train.py $(CONFIG) --work-dir $(WORK_DIR) --epochs $(EPOCHS) $(AMP) \
	    --cfg-options train_cfg.val_interval=4 train_dataloader.num_workers=0
	$(RUN) tools/test.py $(WORK_DIR)/$(notdir $(CONFIG)) \
	    "$$( (ls -t $(WORK_DIR)/best_*.pth 2>/dev/null || ls -t $(WORK_DIR)/epoch_*.pth) | head -1)" \
	    --show-dir drawn

test: install  ## the test suite, under ten minutes on two cores
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto

test-slow: install  ## what takes minutes: the page in Chromium, ONNX, the tutorial …
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m slow

lint: install  ## style and mistakes that show without running
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: install  ## rewrite to the style
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:  ## remove what make train made, and .venv
	rm -rf $(VENV) $(WORK_DIR)
