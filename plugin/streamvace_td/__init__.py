"""The TouchDesigner component. It runs inside TouchDesigner's own Python (3.11). Standard library only.

`builder` creates the component from `layout` and `pages`; `extension` runs it with `panel`, `link`, `sync`, `life` and
`child`. No module imports TouchDesigner: its objects are passed in, and only the main thread uses them.
"""

VERSION = "0.1.0"
