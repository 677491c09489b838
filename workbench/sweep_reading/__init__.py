"""A sweep read while it runs and when it is done: how far it is, what it says, what each part is worth.

Nothing is trained here, and nothing is drawn: `workbench.figures` draws, `workbench.widgets` asks.
"""
