#!/usr/bin/env python3
"""Prints the queries of Grafana dashboards as Prometheus rules, for promtool to check: dashboard-rules.py FILE..."""

import json
import sys


def queries(path):
    with open(path, encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    for panel in panels:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$__rate_interval", "5m")


every = [query for path in sys.argv[1:] for query in queries(path)]
rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(every)]
# JSON is YAML too.
json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, sys.stdout)
