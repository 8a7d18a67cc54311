"""Controls and masks made of live pictures."""
