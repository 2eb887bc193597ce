"""The RDS Data API on the wire, in front of a PostgreSQL that runs here: the AWS stand-in's own is a stub.

It keeps the limits that bite on AWS: one statement a call, typed parameters, result types that it cannot carry, a
response of at most 1 MiB, transactions that end after three minutes without a call, and a cluster that is resuming.
"""
