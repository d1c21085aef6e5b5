"""What upstream lacks today: versions, mmcv operators, safe reading and whole writing of files."""

from .gaps import apply, train_on_cpu_processes

__all__ = ['apply', 'train_on_cpu_processes']
