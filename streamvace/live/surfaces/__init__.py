"""What people see and press during a show."""
