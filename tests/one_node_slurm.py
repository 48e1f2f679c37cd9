"""A SLURM of one node in a temporary folder, for tests and trials: no systemd, no cgroups, and nothing outside of it.

As a script it starts one, says what to type to use it, and stops it at ctrl-C or SIGTERM. It needs root, and of Debian
`apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MaxArraySize={array}
SchedulerParameters=bf_interval=2,sched_interval=2,sched_min_interval=0
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=2000 State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 MaxTime=INFINITE State=UP
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
"""


def find_lack() -> str:
    """What this machine lacks for it; nothing if it can be started."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "a SLURM of one's own needs root"
    lacking = [name for name in (*DAEMONS, "sbatch") if _find(name) is None]
    return f"{', '.join(lacking)}: apt-get install slurmctld slurmd slurm-client munge" if lacking else ""


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")


@contextmanager
def start(*, array: int = 1001) -> Iterator[dict[str, str]]:
    """Have a cluster whose arrays have less than so many jobs, and what its commands need in the environment."""
    with tempfile.TemporaryDirectory(prefix="slurm") as name:
        folder = Path(name)
        folder.chmod(0o755)  # munge is another user
        try:
            yield _start(folder, array)
        finally:
            _stop(folder)


def _start(folder: Path, array: int) -> dict[str, str]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    for each in ("state", "spool"):
        (folder / each).mkdir()
    cores = len(os.sched_getaffinity(0))
    facts = {"host": socket.gethostname(), "ports": ports, "folder": folder, "array": array, "cores": cores}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts))
    (folder / "cgroup.conf").write_text("")
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    environment = {"SLURM_CONF": str(folder / "slurm.conf")}
    munge = {"socket": "munge.socket", "key-file": key.name, "pid-file": "munged.pid", "seed-file": "munge.seed"}
    options = [f"--{name}={folder / place}" for name, place in munge.items()]
    _run(environment, "munged", "--force", *options, f"--log-file={folder / 'munged.log'}").check_returncode()
    for daemon in ("slurmctld", "slurmd"):
        _run(environment, daemon).check_returncode()
    give_up = time.monotonic() + 300
    while b"idle" not in _run(environment, "sinfo", "--noheader", "--format", "%T").stdout:
        assert time.monotonic() < give_up, (folder / "slurmctld.log").read_text()[-2000:]
        time.sleep(0.2)
    return environment


def _run(environment: Mapping[str, str], name: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [_find(name) or name, *options]
    return subprocess.run(command, env={**os.environ, **environment}, check=False, capture_output=True)


def _stop(folder: Path) -> None:
    """End the daemons, and what their jobs have left, by number."""
    _run({"SLURM_CONF": str(folder / "slurm.conf")}, "scancel", "--full", "--signal=KILL", "--user=root")
    for place in ("slurmd.pid", "slurmctld.pid", "munged.pid"):
        with suppress(OSError, ValueError):
            process = int((folder / place).read_text())
            os.kill(process, signal.SIGTERM)
            give_up = time.monotonic() + 10
            while _lives(process) and time.monotonic() < give_up:
                time.sleep(0.05)


def _lives(process: int) -> bool:
    """Whether it runs, and is not only waited for."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


if __name__ == "__main__":
    if lack := find_lack():
        sys.exit(lack)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with start() as needed, suppress(KeyboardInterrupt):
        print(*(f"export {name}={value}" for name, value in needed.items()), sep="\n", flush=True)
        signal.pause()
