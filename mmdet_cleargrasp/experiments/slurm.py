"""Submitting an experiment's runs to Slurm with submitit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import ConfigError
from .execution import execute, read_record
from .jobs import Job
from .spec import ExperimentSpec

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

#: submitit's options for all clusters; Slurm's options get a prefix.
GENERAL = ('timeout_min', 'gpus_per_node', 'cpus_per_task', 'mem_gb')
#: ``local`` starts every run on this machine at once, to try it out.
CLUSTERS = ('slurm', 'local')
#: Exceptions of submitit.
REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, OSError)


class ResumingRun:
    """A run that submitit requeues if its job reaches the time limit."""

    def __call__(self, job: Job) -> dict[str, Any]:
        """Train and test, resuming an interrupted run; see :func:`.execute`.

        Args:
            job: The run.
        """
        return execute(job)

    def checkpoint(self, job: Job) -> DelayedSubmission:
        """Return the job that submitit requeues; training has saved its own checkpoint.

        Args:
            job: The run.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, job)


def submit(
    spec: ExperimentSpec, jobs: list[Job], root: str | Path, cluster: str = 'slurm'
) -> dict[str, str]:
    """Submit the runs that are not complete, as one array.

    A job that reaches its time limit is requeued up to three times, and resumes.

    Args:
        spec: Its ``slurm`` has the resources to request.
        jobs: Of the experiment.
        root: The experiment's folder; logs go to ``slurm`` in it.
        cluster: One of :data:`CLUSTERS`.

    Returns:
        The id of each submitted run, by its name.

    Raises:
        ConfigError: Submitit or Slurm is not installed, or rejects the request.
    """
    try:
        import submitit
    except ImportError as error:
        raise ConfigError(
            "--slurm needs submitit: pip install 'mmdet_cleargrasp[slurm]', or 'submitit>=1.5'"
        ) from error
    outstanding = [job for job in jobs if not read_record(job)]
    if not outstanding:
        return {}
    asked = {
        key if key in GENERAL else f'slurm_{key}': value
        for key, value in {'timeout_min': 24 * 60, **spec.slurm}.items()
    }
    try:
        executor = submitit.AutoExecutor(folder=Path(root) / 'slurm', cluster=cluster)
        executor.update_parameters(name=spec.name, **asked)
        with executor.batch():
            submitted = [executor.submit(ResumingRun(), job) for job in outstanding]
    except REFUSALS as error:
        raise ConfigError(f'Slurm rejected the runs: {error}') from error
    return {job.name: handle.job_id for job, handle in zip(outstanding, submitted, strict=True)}
