"""The batches of an epoch: cut, gathered, and changed by augmentation."""
