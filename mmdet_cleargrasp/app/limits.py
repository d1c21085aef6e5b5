"""What the page accepts; of the standard library only, so that ``app --help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What the page accepts.

    Attributes:
        files: Photographs of one user.
        megabytes: Of one file.
        megapixels: Of one photograph, decoded.
        total_files: Photographs of all users together.
        total_megabytes: Of all uploads together.
        free_megabytes: Of disk space that uploads leave free.
        sessions: Users at the same time.
        idle_seconds: After so long without a request, a user's photographs are removed.
        stalled_seconds: An upload that sends nothing for so long is given up.
    """

    files: int = 30
    megabytes: int = 50
    megapixels: int = 60
    total_files: int = 600
    total_megabytes: int = 4000
    free_megabytes: int = 500
    sessions: int = 50
    idle_seconds: float = 3600
    stalled_seconds: float = 30
