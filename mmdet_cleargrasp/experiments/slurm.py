"""Handing an experiment's runs to Slurm, through submitit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import ConfigError
from .execution import execute, read_record
from .jobs import Job
from .spec import ExperimentSpec

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

#: submitit's options for all clusters; others are Slurm's and get its prefix.
GENERAL = ('timeout_min', 'gpus_per_node', 'cpus_per_task', 'mem_gb')
#: ``local`` starts every run on this machine at once, to try it out.
CLUSTERS = ('slurm', 'local')
#: Exceptions of submitit.
REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, OSError)


class ResumingRun:
    """A run that submitit submits again where its job reaches the time limit."""

    def __call__(self, job: Job) -> dict[str, Any]:
        """Train and test, resuming where an earlier start was interrupted; see :func:`.execute`.

        Args:
            job: The run.
        """
        return execute(job)

    def checkpoint(self, job: Job) -> DelayedSubmission:
        """What submitit submits again; training has saved its own checkpoint.

        Args:
            job: The run.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, job)


def submit(
    spec: ExperimentSpec, jobs: list[Job], root: str | Path, cluster: str = 'slurm'
) -> dict[str, str]:
    """Submit the runs that are not complete, as one array.

    A job that reaches its time limit is submitted again, up to three times, and
    resumes, as after a second submission.

    Args:
        spec: Whose ``slurm`` says what to ask for.
        jobs: Of the experiment.
        root: The experiment's folder; logs go to ``slurm`` in it.
        cluster: One of :data:`CLUSTERS`.

    Returns:
        The id of each submitted run, by its name.

    Raises:
        ConfigError: Submitit or Slurm is not there, or refuses what is asked for.
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
