"""What is broken in the services behind this app, told to the operator: one alarm for one cause.

`alarm.py` is the table of them, `observed.py` the pure rules that find evidence in the services' answers, `evidence.py`
what the evidence amounts to, `recorder.py` keeps it in the store, so that all replicas say the same.
"""
