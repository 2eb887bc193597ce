"""Checks for checkov, which loads every file of this folder on its own; without this one it loads no Python."""
