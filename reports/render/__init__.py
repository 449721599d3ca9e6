"""Formats. Each turns the same document or table into text; none computes anything."""

FORMATS = ("html", "md", "tex", "csv", "json")
