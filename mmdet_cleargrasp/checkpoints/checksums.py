"""Whether damage to a checkpoint's weights would be noticed."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

from .packages import PREFIX, local_path


def missing_checksums(checkpoint: str | Path) -> str | None:
    """Explain how to verify a checkpoint that has no checksums.

    torch's format since 1.6 has checksums, which reading verifies. The older one has none; there
    the part of the file's SHA-256 that torchvision and OpenMMLab put into its name serves.

    Args:
        checkpoint: A file that can be read, or ``'package:NAME'``, whose checksum pip compared.

    Returns:
        What to do about it, or ``None`` where the file has checksums or fits its name.
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
