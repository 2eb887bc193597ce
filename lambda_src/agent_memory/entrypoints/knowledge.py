"""What is known beyond single records; each part exports its routes."""

from agent_memory.entrypoints import facts, procedures, sessions
from agent_memory.entrypoints.http import api

ROUTES = {**facts.ROUTES, **procedures.ROUTES, **sessions.ROUTES}
handler = api(ROUTES)
