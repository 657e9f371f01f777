"""Writes half of a file and is killed."""

import os
import signal
import sys

from fastmlp.system.files import replaced_whole

with replaced_whole(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
