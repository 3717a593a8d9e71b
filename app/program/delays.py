"""How long a thread could have run and did not, because the system let others run."""

from __future__ import annotations


class Delays:
    """Reads it of one thread of this process, where the system tells: Linux does, in ``/proc/self/task/N/schedstat``.

    Its three numbers are described in https://docs.kernel.org/scheduler/sched-stats.html, for a process.
    """

    def __init__(self, thread: int) -> None:
        """``thread``: as of ``threading.get_native_id``."""
        self._path = f"/proc/self/task/{thread}/schedstat"

    def seconds(self) -> float:
        """Seconds so far; 0.0 where the system does not tell."""
        try:
            with open(self._path, "rb") as file:
                return int(file.read(200).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0
