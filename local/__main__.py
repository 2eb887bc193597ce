"""`python -m local up | down | status`."""

import argparse
import sys

from local import services, stack
from local.console import INTERRUPTED, exit_after, say
from local.down import down
from local.state import StackError, State, chosen
from local.up import up


def status(state: State) -> None:
    """Say which services run and where the API is."""
    for name, service in services.recorded(state).items():
        say(f"{name:10} {'runs' if service.is_alive() else 'is gone'} (process {service.pid})")
    say(f"api        {stack.read(state).api_url}")


def main() -> int:
    """Do what was asked; say in a line why not."""
    commands = {"up": up, "down": down, "status": status}
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=commands)
    command = parser.parse_args().command
    try:
        commands[command](chosen())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if command == "up":
            print("\nstopped half way; `make up` goes on, `make down` clears", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    exit_after(main)
