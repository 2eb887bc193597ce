"""Semantic search measured: recall, latency, pages, writes and sizes, ours beside the usual layout.

Both run in one PostgreSQL of the bench's own, over the same vectors, through the same client, as a role that owns
nothing and is subject to row-level security.
"""
