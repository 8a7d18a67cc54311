"""Loading the NDI library, ending it safely, and finding senders.

NDI is a registered trademark of Vizrt NDI AB (https://ndi.video). The library comes with the optional package and is
loaded only when an `ndi:` address is used.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from dataclasses import dataclass
from typing import Any

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.core.threaded import Threaded

EXTRA_IPS_VARIABLE = "STREAMVACE_NDI_IPS"
"""Hosts to search for senders besides the local network, separated by commas or spaces. The library also reads its own
configuration file, `ndi-config.v1.json` in the folder NDI_CONFIG_DIR."""

CLEANUP_SECONDS = 10.0
"""Destroying a receiver takes milliseconds, seconds on a busy processor, and up to 10 s when its sender has gone.
Unloading the library meanwhile aborts the process."""

own_senders: set[str] = set()
"""Full names of our own senders, so that `ndi:` without a name does not receive our own output."""

_lock = threading.Lock()
_loaded: Any = None
_in_use: weakref.WeakSet[Threaded[Any]] = weakref.WeakSet()
_cleanups: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def load_ndi() -> Any:
    """The NDIlib module, initialised once for the process. Raises UserError when it is missing or does not run here."""
    global _loaded
    with _lock:
        if _loaded is None:
            try:
                import NDIlib
            except ImportError as error:
                raise UserError(f"NDI is not installed ({error}); run: {install_command('ndi')}") from error
            if not NDIlib.initialize():
                raise UserError("NDI does not run on this processor (it needs SSE 4.2); use another input or output")
            # Never destroyed: a receiver that hangs may still use it, and the end of the process frees everything.
            _loaded = NDIlib
            atexit.register(_close_everything)
        return _loaded


def close_at_exit(endpoint: Threaded[Any]) -> None:
    """Close this source or sink at the end of the process, if nobody has closed it before.

    If the library is unloaded while its own threads run, it aborts the process.
    """
    _in_use.add(endpoint)


def destroy_receiver(receiver: Any) -> None:
    """Destroy a receiver on a thread of its own, because that can hang. Returns at once."""
    ndi = load_ndi()
    helper = threading.Thread(target=ndi.recv_destroy, args=(receiver,), name="ndi cleanup", daemon=True)
    _cleanups.add(helper)
    helper.start()


def _close_everything() -> None:
    for endpoint in list(_in_use):
        endpoint.close()
    for helper in list(_cleanups):
        helper.join(CLEANUP_SECONDS)


def short_name(full_name: str) -> str:
    """The name without its machine: `Camera 1` of `STAGE-PC (Camera 1)`."""
    _, bracket, rest = full_name.partition(" (")
    return rest.removesuffix(")") if bracket else full_name


@dataclass(frozen=True, slots=True)
class NdiAddress:
    """A sender: its full name, `MACHINE (name)`, and where it listens, `ip:port`."""

    full_name: str
    url: str


class NdiFinder:
    """Searches the network for senders. Used by one thread."""

    def __init__(self, extra_ips: str = "") -> None:
        """extra_ips: hosts to search besides the network and STREAMVACE_NDI_IPS, commas or spaces between them."""
        self._ndi = load_ndi()
        settings = self._ndi.FindCreate()
        settings.show_local_sources = True
        ips = f"{os.environ.get(EXTRA_IPS_VARIABLE, '')} {extra_ips}".replace(",", " ").split()
        if ips:
            settings.extra_ips = ",".join(ips)
        self._finder = self._ndi.find_create_v2(settings)

    def addresses(self) -> list[NdiAddress]:
        """The senders known now, sorted by name."""
        # Copied: the library frees its list at the next call.
        current = self._ndi.find_get_current_sources(self._finder)
        return sorted((NdiAddress(s.ndi_name, s.url_address) for s in current), key=lambda a: a.full_name)

    def find(self, name: str) -> NdiAddress | None:
        """The sender whose full or short name this is; "" is the first that is not our own."""
        for address in self.addresses():
            if name in (address.full_name, short_name(address.full_name)):
                return address
            if not name and address.full_name not in own_senders:
                return address
        return None

    def wait(self, seconds: float) -> None:
        """Return when the senders change, or after `seconds`."""
        self._ndi.find_wait_for_sources(self._finder, round(seconds * 1000))

    def close(self) -> None:
        self._ndi.find_destroy(self._finder)
