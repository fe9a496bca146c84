"""Statements to topics and departments: by description first, by people's labels as they come.

`subjects` compares with what the company says each subject is about, `head` learns from labels,
`calibration` says how far to trust either, `router` keeps what was learned, `explanation` says why.
"""
