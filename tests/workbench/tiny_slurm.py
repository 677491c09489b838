"""A Slurm of one node that belongs to a test: own folder, ports and key; the machine's is not touched."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
CPUS = 2
_CONFIG = """
ClusterName=workbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=1
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000
PartitionName=tests Nodes=ALL Default=YES State=UP
"""


def why_no_slurm() -> str:
    """Return why no Slurm can be started here, "" where it can."""
    _find_daemons()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not found: sh scripts/install_slurm.sh"
    return "" if os.geteuid() == 0 else "a Slurm of one's own needs root"


class TinySlurm:
    """Munge, a controller and one node with two CPUs.

    Attributes:
        environment: in which Slurm's commands speak to this one.
    """

    def __init__(self):
        # Short, for the name of a socket may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="tiny-slurm-"))
        self.host = socket.gethostname().partition(".")[0]
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        controller_port, node_port = _free_ports(2)
        (self.folder / "slurm.conf").write_text(
            _CONFIG.format(
                host=self.host,
                folder=self.folder,
                cpus=CPUS,
                controller_port=controller_port,
                node_port=node_port,
            )
        )
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self._daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Start all three and wait for the node."""
        files = {name: self.folder / f"munge.{name}" for name in ("key", "socket", "pid", "log", "seed")}
        options = [f"--{name}-file={path}" for name, path in files.items() if name != "socket"]
        # By force: the folder of a test is not as guarded as munge wants it.
        self._run("munged", "--foreground", "--force", f"--socket={files['socket']}", *options)
        _wait_for(files["socket"].exists, "munge")
        self._run("slurmctld", "-D", "-c")
        self.start_node()

    def start_node(self) -> None:
        """Start the node as after a boot, and wait until it is ready."""
        self._run("slurmd", "-D", "-b")
        _wait_for(lambda: self.state() in ("idle", "mixed", "allocated"), "the node")

    def crash_node(self) -> None:
        """End the node's daemon and all that it runs, at once, as a power cut does."""
        self._daemons["slurmd"].kill()
        self._daemons.pop("slurmd").wait()
        for process in self._steps():
            _kill_tree(process)
        # What the controller says by itself when a node has been silent for minutes.
        self.ask("scontrol", "update", f"nodename={self.host}", "state=down", "reason=silent")

    def preempt(self, name: str) -> None:
        """Tell a job that it must end soon."""
        # Left alone, scancel would try for 95 s to tell it again once it is queued again.
        self.ask("timeout", "2", "scancel", "--signal=USR2", name)

    def hurry(self) -> None:
        """Let jobs that were queued again start soon; Slurm would wait two minutes."""
        time.sleep(4)  # until the node has ended what it still knew of them
        for name in self.queue("PENDING"):
            self.ask("scontrol", "update", f"job={name}", "StartTime=now")

    def state(self) -> str:
        """Return the state of the node."""
        return self.ask("sinfo", "--noheader", "--format=%T").strip("*~#\n ")

    def ask(self, *command: str) -> str:
        """Return what a command of Slurm prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout

    def queue(self, state: str = "") -> list[str]:
        """Return the ids of jobs in the queue, of one state if given."""
        states = (f"--states={state}",) if state else ()
        return self.ask("squeue", "--noheader", "--array", "--format=%i", *states).split()

    def stop(self) -> None:
        """End everything and remove the folder."""
        self.ask("scancel", "--user=root", "--signal=KILL", "--full")
        for process in self._steps():
            _kill_tree(process)
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        with open(self.folder / f"{name}.out", "a") as out:
            self._daemons[name] = subprocess.Popen(
                [shutil.which(name) or name, *arguments],
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _steps(self) -> list[int]:
        """Return the processes that watch over the steps of jobs; they outlive the node's daemon."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                is_step = (path / "cmdline").read_bytes().startswith(b"slurmstepd")
                if is_step and str(self.folder).encode() in (path / "environ").read_bytes():
                    found.append(int(path.name))
            except OSError:  # it has ended
                continue
        return found


def _kill_tree(root: int) -> None:
    """Kill a process and all its descendants."""
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
        os.kill(root, signal.SIGKILL)
    except OSError:
        return
    for child in children:
        _kill_tree(int(child))


def _find_daemons() -> None:
    """Look for daemons where Debian puts them, which is not in everyone's path."""
    for place in ("/usr/sbin", "/sbin"):
        if place not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] += os.pathsep + place


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(condition, what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come up in {seconds:g} s"
        time.sleep(0.1)
