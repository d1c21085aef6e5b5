"""Limits of the page; imports the standard library only, so that ``app --help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the page for uploads and users; megabytes are 1,000,000 bytes.

    Attributes:
        files: Maximum number of photographs per user.
        megabytes: Maximum size of a file.
        megapixels: Maximum size of a decoded photograph, in millions of pixels.
        total_files: Maximum number of photographs of all users together.
        total_megabytes: Maximum size of all uploads together.
        free_megabytes: Disk space that remains free: uploads that would use it are refused.
        sessions: Maximum number of users at the same time.
        idle_seconds: Time without a request after which a user's photographs are removed.
        stalled_seconds: Time without data after which an upload is aborted.
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
