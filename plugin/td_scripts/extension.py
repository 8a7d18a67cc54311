"""Creates the extension inside TouchDesigner: finds the streamvace folder and imports `streamvace_td.extension`.

The component stores this text, so it can report a folder that was moved.
"""


def create(owner):
    """The component's extension. Raises RuntimeError with a one-line message if Folder is wrong."""
    import os
    import sys

    import td

    folder = os.path.normpath(os.path.join(td.project.folder, owner.par.Folder.eval()))
    plugin = os.path.join(folder, "plugin")
    if not os.path.isdir(os.path.join(plugin, "streamvace_td")):
        raise RuntimeError(f"streamvace: no plugin/streamvace_td in {folder}: set the component's Folder parameter")
    for path in (plugin, folder):
        if path not in sys.path:
            sys.path.append(path)
    from streamvace_td.extension import Extension

    return Extension(owner, td, folder)
