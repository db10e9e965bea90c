"""Scores: what is read from the runs of a comparison once they are over.

Every score can be had again, at any tolerance and at any price of an evaluation, from the traces alone. `solved` finds
where in a trace a test was first met, and what had been evaluated until then; `costs` makes a table of that, `prices`
and `measured` say what an evaluation is worth. On the table stand `profiles`, `wins`, `breakeven` and `stability`, with
`bootstrap` for how far chance reaches. `rates` and `audit` look at single runs. `curves`, `heat` and `bumps` draw, each
with a caption in words, and `board` does all of it in one call.
"""
