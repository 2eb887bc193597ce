"""`RDS_DATA_DSN=postgresql://... python -m local.rds_data --port 4711`: serve until stopped.

The DSN is the superuser's, so it comes where other users of the machine cannot read it.
Secrets are read from the Secrets Manager that AWS_ENDPOINT_URL names, as the service reads them from the real one.
"""

import argparse
import os

import boto3

from local.rds_data.cluster import Cluster, from_secrets_manager
from local.rds_data.server import RdsDataServer
from local.rds_data.sessions import Sessions

_IDLE_S = 180.0


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--database", default="memory", help="database that the cluster is created with")
    arguments = parser.parse_args()
    credentials = from_secrets_manager(boto3.client("secretsmanager"))
    cluster = Cluster(os.environ["RDS_DATA_DSN"], credentials, arguments.database)
    RdsDataServer(arguments.port, Sessions(cluster.connect, _IDLE_S)).serve_forever()


if __name__ == "__main__":
    main()
