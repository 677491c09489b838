"""Phantom studies: a 3-D chest per patient, projected into radiographs, with report, labels and boxes.

From the question to the file: who (`patient`), with which diseases where (`findings`), in which hospital
(`domain`), all together (`visit`); as a chest (`body/`), as a picture (`picture/`), as words (`report`,
`phrase`, `wording`), as labels (`labeller`), as boxes (`boxes`). `summary` counts, `contact_sheet` shows.
Lengths are cm. x points to the patient's left, y to the front, z to the head.
"""
