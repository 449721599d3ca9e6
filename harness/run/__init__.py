"""Bringing an experiment to completion: the driver, its jobs and the launchers that start them, the run folder, and
what is seen of it meanwhile.
"""
