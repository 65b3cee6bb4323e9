"""When layers stop keeping their input: the phases of learning."""
