"""Files of records: safetensors and JSON, no pickle."""
