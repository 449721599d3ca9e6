"""Where in a response its answer is, and why there is none: `extraction.extract`, by three readings.

thinking  >  boxes, stated, choices  >  extraction
"""
