"""The composition root: the only place that builds clients and stores, each once and when first asked for.

Each module is named by what it composes, and whoever needs something asks its module, as in `records.working()`: what a
test puts in its place there holds for everybody. All other imports stand inside the functions on purpose: a function
loads what it serves and no more, which is most of its cold start (docs/adr/0002-signed-requests-on-the-hot-path.md).
"""
