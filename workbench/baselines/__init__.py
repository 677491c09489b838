"""What each baseline asks of a picture, and what it has learnt, as data for figures.

A method is one entry of `workbench.baselines.methods.METHODS` and, where no other method has the like, one
file here with two functions of a run and a number of pictures: one for what it sees, before the training or
while it goes on, and one for what it has learnt. Both return values of `workbench.baselines.shown`, which
`workbench.figures.baselines` draws.
"""
