"""Train with one thread and with more threads than cores."""

import json
import os

from team_setup import NORMS, is_clean, trained

threads = 4 * (os.cpu_count() or 2)
print(json.dumps([[trained(norm, 1), trained(norm, threads), is_clean()] for norm in NORMS]))
