"""Checks that succeed, fail and crash, for the tests of ``benchmarks.gpu_check``."""

import os

from benchmarks.gpu_check.running import CheckError


def succeed(setting, argument):
    return argument


def fail(setting, argument):
    print('printed')
    raise CheckError(f'found {argument}')


def die(setting, argument):
    os._exit(1)
