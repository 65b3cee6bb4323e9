"""What is done to a torch network: copied, put into a mode, put back."""
