"""Administration from an operator's shell: `python -m agent_memory.entrypoints.admin`."""
