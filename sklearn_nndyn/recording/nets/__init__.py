"""The record of a skorch net, from its own iterator and criterion."""
