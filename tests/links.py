"""Symbolic links in tests."""

from __future__ import annotations

import os

import pytest

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
