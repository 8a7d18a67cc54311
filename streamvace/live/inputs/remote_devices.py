"""Screens, cameras and microphones are private: another machine on the network may not switch one on."""

from __future__ import annotations

from osc_schema import Value
from streamvace.live.inputs.inputs import PREFIX
from streamvace.system.network import is_this_machine

DEVICES = ("screen", "camera")
"""Schemes of inputs that show what is around the machine. Those of the command line are chosen by their number."""


SOUND = "/streamvace/sound/input"


def forbid_devices(host: str, address: str, value: Value) -> str:
    """Why a host may not set this value of a parameter, or an empty string."""
    if address == SOUND and value and not is_this_machine(host):
        return f"{address}: another machine may open a microphone only if the show runs with --allow-remote-devices"
    if not address.startswith(PREFIX) or not isinstance(value, str):
        return ""
    scheme = value.strip().partition(":")[0]
    if scheme not in DEVICES or is_this_machine(host):
        return ""
    return f"{address}: another machine may choose a {scheme} only if the show runs with --allow-remote-devices"


def forbid_nothing(host: str, address: str, value: Value) -> str:
    """With `--allow-remote-devices`."""
    return ""
