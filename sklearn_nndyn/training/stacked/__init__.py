"""The engine for many networks in one program."""
