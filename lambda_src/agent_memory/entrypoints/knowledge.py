"""What is known beyond single records; each part exports its routes."""

from agent_memory.entrypoints import context, facts, procedures, sessions
from agent_memory.entrypoints.http import api

ROUTES = {**context.ROUTES, **facts.ROUTES, **procedures.ROUTES, **sessions.ROUTES}
handler = api(ROUTES)
