"""Does a run of `resumable` that keeps a checkpoint: says when an epoch is over, prints a digest of what all gave."""

import hashlib
import sys
from pathlib import Path

import resumable
from networks import digest

name, path, epochs, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
net, run = resumable.begin(name, folder if name == "a stream" else None)


def say(net, record):
    """Say the number of an epoch, whose checkpoint is written next."""
    sys.stdout.write(f"{record['epoch']}\n")
    sys.stdout.flush()


history = run(epochs=epochs, callbacks=[say], **({} if path == "none" else {"checkpoint": path}))
found = hashlib.sha256(repr((digest(net), resumable.course(history))).encode()).hexdigest()
sys.stdout.write(f"ended {found}\n")
