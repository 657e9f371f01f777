"""Print the benchmarks that asv discovers in a suite (first argument), with the fields that the gate reads."""

import json
import sys

from asv_runner.discovery import disc_benchmarks, update_sys_path

suite = sys.argv[1]
update_sys_path(suite)
print(json.dumps([[b.name, b.type, b.params, b.param_names] for b in disc_benchmarks(suite)]))
