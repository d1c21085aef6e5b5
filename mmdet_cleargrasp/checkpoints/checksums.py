"""Check that a checkpoint has checksums, so that damaged weights are detected."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

from .packages import PREFIX, local_path


def checksum_warning(checkpoint: str | Path) -> str | None:
    """Return a warning for a checkpoint whose weights cannot be verified.

    torch's format since 1.6 has checksums, which :func:`.read_checkpoint` verifies. Files in the
    older format can be verified by the part of their SHA-256 that torchvision and OpenMMLab put
    into the file name.

    Args:
        checkpoint: Existing file, or ``'package:NAME'``, which pip has verified on installation.

    Returns:
        The warning, which says how to verify the file; ``None`` if the file has checksums, is from
        a package or matches the hash in its name.
    """
    path = local_path(checkpoint)
    if str(checkpoint).startswith(PREFIX) or zipfile.is_zipfile(path):
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    named = re.search(r'-([0-9a-f]{8,64})$', path.stem)
    if named and digest.startswith(named[1]):
        return None
    return (
        f"{path} is in torch's format before 1.6, without checksums: damaged weights would not "
        f'be noticed. Compare its SHA-256, {digest[:8]}..., with its source. In the new format: '
        f'python tools/model_converters/extract_backbone.py {path} NEW.pth'
    )
