"""A limit on the memory of a process, set by the process itself."""

from __future__ import annotations

import sys

_LIMIT_PROCESS_MEMORY = 0x100
"""Windows' JOB_OBJECT_LIMIT_PROCESS_MEMORY."""

_EXTENDED_LIMITS = 9
"""Windows' JobObjectExtendedLimitInformation."""


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def _limit_job(nbytes: int) -> None:
        """Put this process into a job object with a limit."""

        class BasicLimits(ctypes.Structure):
            _fields_ = (
                ("per_process_time", wintypes.LARGE_INTEGER),
                ("per_job_time", wintypes.LARGE_INTEGER),
                ("flags", wintypes.DWORD),
                ("smallest_working_set", ctypes.c_size_t),
                ("largest_working_set", ctypes.c_size_t),
                ("processes", wintypes.DWORD),
                ("affinity", ctypes.c_size_t),
                ("priority", wintypes.DWORD),
                ("scheduling", wintypes.DWORD),
            )

        class ExtendedLimits(ctypes.Structure):
            _fields_ = (
                ("basic", BasicLimits),
                ("io_counters", ctypes.c_ulonglong * 6),
                ("process_memory", ctypes.c_size_t),
                ("job_memory", ctypes.c_size_t),
                ("peak_process_memory", ctypes.c_size_t),
                ("peak_job_memory", ctypes.c_size_t),
            )

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        limits = ExtendedLimits()
        limits.basic.flags = _LIMIT_PROCESS_MEMORY
        limits.process_memory = nbytes
        job = kernel.CreateJobObjectW(None, None)  # never closed: it lasts as long as the process
        if not (
            job
            and kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
            and kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())
        ):
            raise ctypes.WinError(ctypes.get_last_error())


def limit_memory(nbytes: int) -> bool:
    """From now on, this process can hold `nbytes` of data of its own; more of it fails to be allocated. Returns False
    where the system has no such limit (macOS). Raises OSError if it refuses."""
    if sys.platform == "win32":
        _limit_job(nbytes)
    elif sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (nbytes, nbytes))
    else:
        return False
    return True
