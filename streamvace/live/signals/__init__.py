"""Control pictures and masks made from the inputs, and outputs that show them."""
