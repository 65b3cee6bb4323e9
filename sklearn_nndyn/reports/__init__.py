"""One HTML file out of records, findings and pictures: to read, to print, to send to somebody."""

from sklearn_nndyn.reports._report import Report, report

__all__ = ["Report", "report"]
