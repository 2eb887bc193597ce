"""A month of episodes through both tiers, by the clock of a simulation."""
