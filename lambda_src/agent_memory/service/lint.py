"""Whether the schema still is what keeps tenants apart: somebody may have changed it by hand."""

from collections.abc import Sequence

from agent_memory.domain.database import SchemaDatabase, Script
from agent_memory.errors import AgentMemoryError
from agent_memory.service.migrate import Patience


class RulesBroken(AgentMemoryError):
    """The schema breaks rules; each is a file that says why it matters."""

    def __init__(self, broken: Sequence[Script]) -> None:
        super().__init__(f"the schema breaks {', '.join(rule.name for rule in broken)}")


class Lint:
    """Asks every rule of the catalogue."""

    def __init__(self, schema: SchemaDatabase, rules: Sequence[Script], patience: Patience) -> None:
        self._schema = schema
        self._rules = rules
        self._patience = patience

    def run(self) -> int:
        """How many rules were asked.

        Raises:
            RulesBroken: some found something.
        """
        if broken := [rule for rule in self._rules if self._finds(rule)]:
            raise RulesBroken(broken)
        return len(self._rules)

    def _finds(self, rule: Script) -> bool:
        return self._patience.until_done(lambda: self._schema.breaches(rule)) > 0
