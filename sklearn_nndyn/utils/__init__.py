"""The ground floor: what several stages need and none owns. Private to the package."""
