"""The TouchDesigner component: what runs inside TouchDesigner's own Python (3.11). Standard library only.

`builder` makes the component from `layout` and `pages`; `extension` brings it to life with `link`, `sync`, `life` and
`child`. No module here imports TouchDesigner: its objects are handed in, and only the main thread touches them.
"""

VERSION = "0.1.0"
