"""Upkeep of the database, within the time that the function has left."""

from pathlib import Path
from typing import TYPE_CHECKING

from agent_memory.bootstrap import database
from agent_memory.config import settings

if TYPE_CHECKING:
    from agent_memory.service.enable_login import EnableLogin
    from agent_memory.service.lint import Lint
    from agent_memory.service.maintain import Maintain
    from agent_memory.service.migrate import Migrate
    from agent_memory.service.switch_layout import SwitchLayout

_SQL = Path(__file__).parent.parent / "sql"


def schema(time_left_s: float) -> "tuple[Migrate, EnableLogin]":
    """What the schema function does, within the time that it has left."""
    import time

    import boto3

    from agent_memory.adapters.login_secret import SecretsManagerLogin
    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.adapters.sql_scripts import migrations, repeatables
    from agent_memory.service.enable_login import EnableLogin
    from agent_memory.service.migrate import Migrate, Patience

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    master = DataApiSchema(database.data_api(settings.database_master_secret_arn))
    app = database.data_api(settings.database_app_secret_arn)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secret = SecretsManagerLogin(secrets, settings.database_app_secret_arn)
    return (
        Migrate(master, migrations(_SQL), repeatables(_SQL), patience),
        EnableLogin(master, secret, app.accepts_login, patience),
    )


def maintain(time_left_s: float) -> "Maintain":
    """The daily work on the database."""
    import time

    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.service.maintain import Maintain
    from agent_memory.service.migrate import Patience

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    return Maintain(DataApiSchema(database.data_api(settings.database_master_secret_arn)), patience)


def switch_layout(time_left_s: float) -> "SwitchLayout":
    """What brings the layout of the vectors into force."""
    import time

    from agent_memory.adapters.schema_vector_indexes import DataApiVectorIndexes
    from agent_memory.service.migrate import Patience
    from agent_memory.service.switch_layout import SwitchLayout

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    return SwitchLayout(DataApiVectorIndexes(database.data_api(settings.database_master_secret_arn)), patience)


def lint(time_left_s: float) -> "Lint":
    """What looks whether the schema is as it should be."""
    import time

    from agent_memory.adapters.schema_database import DataApiSchema
    from agent_memory.adapters.sql_scripts import rules
    from agent_memory.service.lint import Lint
    from agent_memory.service.migrate import Patience

    patience = Patience(time.monotonic() + time_left_s, time.monotonic, time.sleep)
    master = DataApiSchema(database.data_api(settings.database_master_secret_arn))
    return Lint(master, rules(_SQL), patience)
