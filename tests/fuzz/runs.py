"""Cases of a fuzz target: each has its own random generator, so that one can be repeated."""

from __future__ import annotations

import faulthandler
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

#: Seconds of processor time for one case, of at most a few hundred kilobytes.
LONGEST = 20.0
#: Seconds after which a case that waits for something ends the program with a traceback.
HANGING = 900


class Found(Exception):
    """A case that shows a fault."""


#: Runs one case in a folder and says what happened.
Case = Callable[[random.Random, Path], str]


def run_cases(
    case: Case, folder: Path, *, seed: int, first: int = 0, count: int, seconds: float
) -> Counter[str]:
    """Run cases until one of the two limits is reached.

    Args:
        case: The target.
        folder: Where it works; what a failing case had written stays there.
        seed: Of all cases.
        first: Number of the first case.
        count: Most cases.
        seconds: Most seconds.

    Returns:
        How often each outcome was.

    Raises:
        Found: The first fault, with the case's number.
    """
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds
    for number in range(first, first + count):
        if time.monotonic() > end:
            break
        faulthandler.dump_traceback_later(HANGING, exit=True, file=sys.__stderr__)
        start = time.process_time()
        try:
            outcomes[case(random.Random(f'{seed}/{number}'), folder)] += 1
            if time.process_time() - start > LONGEST:
                raise Found(f'took {time.process_time() - start:.0f} seconds of processor time')
        except Exception as error:
            again = f'--seed {seed} --first {number} --count 1'
            raise Found(f'case {number} ({again}; files in {folder}): {error!r}') from error
        finally:
            faulthandler.cancel_dump_traceback_later()
    return outcomes
