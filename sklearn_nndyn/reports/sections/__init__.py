"""The sections of a page, each a function of the material that gives a heading and its blocks."""
