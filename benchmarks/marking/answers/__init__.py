"""What an answer says: `structure.read` makes a small tree of its text, before anybody asks whether it equals
another.

canonical (one way to write a thing), numbers  >  nodes  >  ranges, relations, measures, lists
        >  structure
"""
