"""Ways to attack a route; importing them fills the matrix."""

from tests.isolation.techniques import foreign, forged, listening, oddities, oracles

__all__ = ["foreign", "forged", "listening", "oddities", "oracles"]
