"""Operations on torch networks: copying, modes, restoring."""
