"""What every other room stands on: errors, seeds, locks, plug-ins, and what there is by name.

Imports nothing else of `harness`.
"""
