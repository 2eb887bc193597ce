"""`python -m local.iam --port 4713 --ministack 4710 --rds-data 4711 --bedrock 4712 --records FILE`.

Serves until stopped.
"""

import argparse
import asyncio
from pathlib import Path

from local.iam.proxy import Proxy


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "ministack", "rds-data", "bedrock"):
        parser.add_argument(f"--{name}", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--records", type=Path, required=True, help="file that takes what was decided")
    given = parser.parse_args()
    proxy = Proxy.of(given.ministack, {"rds-data": given.rds_data, "bedrock": given.bedrock}, given.records)
    asyncio.run(proxy.serve(given.port))


if __name__ == "__main__":
    main()
