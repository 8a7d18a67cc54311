"""C99's complex functions for Wine, whose ucrtbase.dll has stubs: numpy and torch abort at import without them.

A DLL of ours has them and hands everything else on to ucrtbase. The files that need them get its name, which has the
same length, in place of the system's.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

SYSTEM, OURS = "api-ms-win-crt-math-l1-1-0.dll", "xpi-ms-win-crt-math-l1-1-0.dll"

ONE_ARGUMENT = (
    *("cacos", "cacosh", "casin", "casinh", "catan", "catanh", "ccos", "ccosh", "cexp", "clog", "conj", "cproj"),
    *("csin", "csinh", "csqrt", "ctan", "ctanh"),
)
TO_REAL = ("cabs", "carg", "cimag", "creal")

TYPES = (("", "double"), ("f", "float"), ("l", "double"))
"""Suffix of the function and its number: Windows' long double is a double."""

HEAD = """\
#include <complex.h>
#include <math.h>
"""

# Windows passes and returns a complex number as a struct of two numbers, gcc does not.
STRUCT = """\
typedef struct {{ {number} v[2]; }} S{suffix};
typedef union {{ S{suffix} s; {number} _Complex c; }} U{suffix};
"""
ONE = "S{suffix} x_{name}{suffix}(S{suffix} a) {{ U{suffix} u; u.s = a; u.c = {name}{kind}(u.c); return u.s; }}\n"
REAL = "{number} x_{name}{suffix}(S{suffix} a) {{ U{suffix} u; u.s = a; return {name}{kind}(u.c); }}\n"
POWER = (
    "S{suffix} x_cpow{suffix}(S{suffix} a, S{suffix} b) "
    "{{ U{suffix} u, w; u.s = a; w.s = b; u.c = cpow{kind}(u.c, w.c); return u.s; }}\n"
)

IMPORTS = """
import json, pathlib, sys
import pefile
found = {}
for path in pathlib.Path(sys.argv[1]).rglob("*"):
    if path.suffix not in (".pyd", ".dll"):
        continue
    try:
        image = pefile.PE(str(path), fast_load=True)
    except pefile.PEFormatError:
        continue
    image.parse_data_directories(directories=[1])
    names = [
        function.name.decode()
        for library in getattr(image, "DIRECTORY_ENTRY_IMPORT", [])
        if library.dll.decode().lower() == sys.argv[2]
        for function in library.imports
        if function.name
    ]
    image.close()
    if names:
        found[str(path)] = names
print(json.dumps(found))
"""
"""Run by a Python with pefile: what each file imports from the library."""


def source() -> tuple[str, set[str]]:
    """The C source, and the names of its functions without `x_`."""
    code, names = HEAD, set[str]()
    for suffix, number in TYPES:
        words = {"suffix": suffix, "number": number, "kind": "f" if suffix == "f" else ""}
        code += STRUCT.format(**words) + POWER.format(**words)
        for form, functions in ((ONE, ONE_ARGUMENT), (REAL, TO_REAL)):
            code += "".join(form.format(name=name, **words) for name in functions)
        names |= {name + suffix for name in ("cpow", *ONE_ARGUMENT, *TO_REAL)}
    return code, names


def give_complex_functions(python: Path, pefile_python: Path) -> None:
    """Build the DLL beside `python`/python.exe and change every file below that needs it."""
    asked = subprocess.run([pefile_python, "-c", IMPORTS, python, SYSTEM], capture_output=True, text=True, check=True)
    imports: dict[str, list[str]] = json.loads(asked.stdout)
    code, ours = source()
    needing = {path: names for path, names in imports.items() if ours & set(names)}
    names = ours.union(*needing.values())
    exports = [f"  {name} = {'x_' if name in ours else 'ucrtbase.'}{name}\n" for name in sorted(names)]
    shim, definition = python / "shim.c", python / "shim.def"
    shim.write_text(code, "ascii")
    definition.write_text(f"LIBRARY {Path(OURS).stem}\nEXPORTS\n{''.join(exports)}", "ascii")
    compiler = ["x86_64-w64-mingw32-gcc", "-O2", "-fno-builtin", "-shared", "-static"]
    subprocess.run([*compiler, "-o", python / OURS, shim, definition, "-lm"], check=True)
    for path in map(Path, needing):
        data = path.read_bytes()
        assert data.count(SYSTEM.encode()) == 1, path
        path.write_bytes(data.replace(SYSTEM.encode(), OURS.encode()))
