"""Frame rates as the exact fractions that files and networks want."""

from __future__ import annotations

from fractions import Fraction


def exact_rate(rate: float) -> Fraction:
    """Frames a second as a fraction: 29.97 means 30000/1001, as it does everywhere in video."""
    whole = round(rate)
    ntsc = Fraction(whole * 1000, 1001)
    if whole and abs(rate / float(ntsc) - 1) < 2e-4:
        return ntsc
    return Fraction(rate).limit_denominator(1000)
