"""Does it obey? Held-out scenes, judged with the renderer's own masks and palette."""
