"""The live process: processes, threads and clocks. Nothing here knows how a picture is made."""
