"""What may be said of many people without saying it of one: pure functions over counts and opaque tokens.

`people` folds tally rows into persons, `rules` decides which figures are safe, `rounding` blurs them with a keyed coin,
and `protect` puts the three together into a release. Nothing here reads a clock, draws a random number or opens a file,
and no number of people leaves except through `protect`.
"""
