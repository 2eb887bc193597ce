"""A process of the function `ingest`, which dies when its time is over, or whenever somebody kills it.

    python -m tests.ingest_worker SECONDS       (an event a line on standard input, an answer a line on standard output)

It says that it is ready first, so that whoever kills it meets it at work.
"""

import json
import signal
import sys
import time
from datetime import timedelta
from types import SimpleNamespace

from agent_memory.entrypoints import ingest
from agent_memory.service import doing_jobs


def main() -> None:
    """Take events for as long as Lambda would let the function live."""
    seconds = float(sys.argv[1])
    doing_jobs._AFTERLIFE = timedelta(seconds=0.2)  # what it waits for elsewhere takes no longer here
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, seconds)  # nobody catches it: the process ends
        ends = time.monotonic() + seconds
        context = SimpleNamespace(
            aws_request_id="r", get_remaining_time_in_millis=lambda ends=ends: max(0, (ends - time.monotonic()) * 1000)
        )
        answer = ingest.handler(json.loads(line), context)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.write(json.dumps({"answer": answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
