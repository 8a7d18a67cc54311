"""The NDI library and what it knows of the network.

NDI is a registered trademark of Vizrt NDI AB (https://ndi.video). The library comes with the optional package and is
never loaded unless an `ndi:` address is used.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Protocol

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install

EXTRA_IPS_VARIABLE = "STREAMVACE_NDI_IPS"
"""Addresses to ask for senders besides the local network, separated by commas or spaces. NDI's own configuration file
(`ndi-config.v1.json`, its folder in NDI_CONFIG_DIR) works as well: the library reads it by itself."""

_lock = threading.Lock()
_loaded: Any = None
_own_senders: set[str] = set()


class Closable(Protocol):
    def close(self) -> None: ...


_in_use: weakref.WeakSet[Closable] = weakref.WeakSet()
_cleanups: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
CLEANUP_SECONDS = 10.0
"""Taking a receiver apart takes milliseconds, seconds on a full processor, and up to 10 s when its sender has gone; the
library aborts the process when it is unloaded meanwhile."""


def load_ndi() -> Any:
    """The NDIlib module, initialised once for the process. Raises UserError when it is missing or cannot run here."""
    global _loaded
    with _lock:
        if _loaded is None:
            try:
                import NDIlib
            except ImportError as error:
                raise UserError(f"NDI is not installed ({error}); run: {install('ndi')}") from error
            if not NDIlib.initialize():
                raise UserError("NDI does not run on this processor (it needs SSE 4.2); use another input or output")
            # Never destroyed: receivers that hang may outlive us, and the process's end frees everything.
            _loaded = NDIlib
            atexit.register(_close_everything)
        return _loaded


def close_at_exit(endpoint: Closable) -> None:
    """A source or sink that nobody closed (an exception, a forgotten line) is closed when the process ends.

    Otherwise the library finds its own threads running while it is unloaded, and aborts the process.
    """
    _in_use.add(endpoint)


def destroy_receiver(receiver: Any) -> None:
    """Take a receiver apart on a helper thread, because that can hang. Returns at once."""
    ndi = load_ndi()
    helper = threading.Thread(target=ndi.recv_destroy, args=(receiver,), name="ndi cleanup", daemon=True)
    _cleanups.add(helper)
    helper.start()


def _close_everything() -> None:
    for endpoint in list(_in_use):
        endpoint.close()
    for helper in list(_cleanups):
        helper.join(CLEANUP_SECONDS)


def remember_own_sender(full_name: str) -> None:
    """So that `ndi:`, which takes the first sender found, does not feed our own output back to us."""
    _own_senders.add(full_name)


def forget_own_sender(full_name: str) -> None:
    _own_senders.discard(full_name)


def short_name(full_name: str) -> str:
    """What the user called it: `STAGE-PC (Camera 1)` is `Camera 1`."""
    _, bracket, rest = full_name.partition(" (")
    return rest.removesuffix(")") if bracket else full_name


@dataclass(frozen=True, slots=True)
class NdiAddress:
    """One sender: its full name, `MACHINE (name)`, and where it listens, `ip:port`."""

    full_name: str
    url: str


class NdiFinder:
    """Asks the network for senders. Used by one thread."""

    def __init__(self, extra_ips: str = "") -> None:
        """extra_ips: addresses to ask besides the network and what STREAMVACE_NDI_IPS says, commas or spaces between
        them."""
        self._ndi = load_ndi()
        settings = self._ndi.FindCreate()
        settings.show_local_sources = True
        ips = f"{os.environ.get(EXTRA_IPS_VARIABLE, '')} {extra_ips}".replace(",", " ").split()
        if ips:
            settings.extra_ips = ",".join(ips)
        self._finder = self._ndi.find_create_v2(settings)

    def addresses(self, wait_seconds: float = 0.0) -> list[NdiAddress]:
        """The senders known now, by name; waits at most so long for a change when none is known yet."""
        found = self._current()
        if not found and wait_seconds > 0:
            self._ndi.find_wait_for_sources(self._finder, round(wait_seconds * 1000))
            found = self._current()
        return found

    def find(self, name: str) -> NdiAddress | None:
        """The sender whose full or short name this is; "" is the first that is not our own."""
        for address in self.addresses():
            if name in (address.full_name, short_name(address.full_name)):
                return address
            if not name and address.full_name not in _own_senders:
                return address
        return None

    def wait(self, seconds: float) -> None:
        """Until something changes on the network, or so long."""
        self._ndi.find_wait_for_sources(self._finder, round(seconds * 1000))

    def close(self) -> None:
        self._ndi.find_destroy(self._finder)

    def _current(self) -> list[NdiAddress]:
        # Copied: the library's own list is gone with the next question.
        current = self._ndi.find_get_current_sources(self._finder)
        return sorted((NdiAddress(s.ndi_name, s.url_address) for s in current), key=lambda a: a.full_name)
