"""Fixtures that several tiers share live in plug-ins, one file per thing."""

pytest_plugins = ["tests.fix_postgres"]
