"""Durable, multi-tenant memory for AI agents."""
