"""Checks for the tests of the check of a GPU."""

import os

from benchmarks.gpu_check.running import CheckError


def succeed(setting, argument):
    return argument


def fail(setting, argument):
    print('printed')
    raise CheckError(f'found {argument}')


def die(setting, argument):
    os._exit(1)
