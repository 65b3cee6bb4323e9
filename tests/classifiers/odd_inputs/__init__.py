"""What people may hand in by mistake, or in an unusual form: it works and is right, or is refused in words."""
