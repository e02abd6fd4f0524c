"""How the starter model and its data set are made: tables and patterns → text and records → weights.

tables, wording, patterns → facts, clauses → tasks (the data set), corpus (the text)      no torch
pretraining → packing → quality → build                                                   torch
"""
