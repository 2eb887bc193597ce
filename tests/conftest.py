"""What every tier shares. Fixtures live in plug-ins, one file per thing."""

import os

from hypothesis import settings

pytest_plugins = [
    "tests.fix_aws",
    "tests.fix_bedrock",
    "tests.fix_contexts",
    "tests.fix_edge",
    "tests.fix_postgres",
    "tests.fix_reembedding",
    "tests.fix_vectors",
    "tests.fix_debian",
    "tests.fix_iam",
]

# No test may ever reach a real account, whatever the shell is logged in to.
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1")
os.environ.pop("AWS_SESSION_TOKEN", None)
os.environ.pop("AWS_PROFILE", None)

# A loaded machine is slow, not wrong.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
