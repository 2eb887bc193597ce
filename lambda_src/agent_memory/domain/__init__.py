"""Models, rules and ports: pure Python that knows no vendor."""
