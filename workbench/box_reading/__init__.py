"""What a person looks at in the box explorer: maps of one or two models over marked cases.

map_source    the maps of one run, by method, kept in its folder; what a place attends to
map_table     those of all models over the same cases, read at any threshold
marked_cases  the cases of all models, what readers marked, which of them are chosen
case_boxes    the boxes of a case at a threshold, and what they are worth
quick_scores  the IoU of every case, fast enough to sort by
orders        in which order cases are looked at
offers        what can be chosen, and why something cannot
export        the chosen cases as a table
"""
