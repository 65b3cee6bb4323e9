"""What people hand in as X, beside one array of floats in memory."""
