"""What the console shows when the show is on: where to watch, where to send OSC, and three commands to try."""

from __future__ import annotations

from collections.abc import Sequence


def things_to_try(osc_port: int) -> tuple[tuple[str, str], ...]:
    """(effect, command)."""
    target = f"oscsend localhost {osc_port} /streamvace"
    return (
        ("another picture", f'{target}/prompt s "glossy red shapes, purple background"'),
        ("a looser hold on the control signal", f"{target}/context_scale f 0.4"),
        ("a hard cut", f"{target}/hard_cut"),
    )


def greeting(pipeline: str, size: tuple[int, int], osc_port: int, web_links: Sequence[str]) -> list[str]:
    """The lines, in ASCII for every console. web_links: addresses of the page on this machine and from others."""
    lines = [f"streamvace is on: {pipeline}, {size[0]}x{size[1]}"]
    lines.extend(f"  {where}   {link}" for where, link in zip(("watch", "phone"), web_links, strict=False))
    lines.append(f"  OSC in  port {osc_port}")
    lines.append("Three things to try:")
    lines.extend(f"  {command}    ({what})" for what, command in things_to_try(osc_port))
    lines.append("Press Ctrl-C to stop.")
    return lines
