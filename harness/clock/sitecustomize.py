"""Puts a process's wall clock off by CLOCK_OFF seconds: on PYTHONPATH of the one replica whose clock is wrong."""

import datetime
import os

import time_machine

_off = float(os.environ.get("CLOCK_OFF", "0"))
if _off:
    time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=_off), tick=True).start()
