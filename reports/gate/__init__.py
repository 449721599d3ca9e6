"""`rence gate`: is a checkpoint, or an arm of several seeds, at least as good as a baseline that was reviewed?

    measure (RUN) ----\
                       checks -> decide -> verdict -> text, JSON, junit, github
    reading (FILE) ---/

`results` is what both sides are; `writing` makes the baseline file, `updating` replaces it. Nothing here starts work.
"""
