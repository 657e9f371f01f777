"""Train eight networks, one after the other and all at the same time."""

import json
import threading

from team_setup import NORMS, is_clean, trained

tasks = [(NORMS[i % 3], 1 + i % 4, 2 + i % 3, i) for i in range(8)]
alone = [trained(*task) for task in tasks]
together = [None] * 8


def work(i):
    together[i] = trained(*tasks[i])


members = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for member in members:
    member.start()
for member in members:
    member.join()
print(json.dumps([alone, together, is_clean()]))
