"""LoCoMo over HTTP: does what search and context give for a question hold the turns that answer it?

One conversation is one agent's memory, each turn a text of its own. Evidence recall of a question is the share of its
evidence turns that were found; a figure is the mean over its questions. Of the data set nothing is kept here: it is
read where it lies (its licence is CC BY-NC 4.0), and the memories are purged when the section ends.
"""
