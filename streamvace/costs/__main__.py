"""Prints the model of costs: `python -m streamvace.costs`."""

from __future__ import annotations

from streamvace.costs.tables import markdown

print(markdown())
