"""Many fits at once: as many in one program as may be, and programs side by side."""
