"""Light desks: Art-Net and sACN in, merged, and played by a fixture made from the address space."""
