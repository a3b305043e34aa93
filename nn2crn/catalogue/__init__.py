"""The menu of templates: listed, described, measured."""
