"""Activation templates: chemistry for one function, written as text in the .act files beside this one."""

from nn2crn.templates.gadget import Gadget
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

__all__ = ["Gadget", "Library", "Template"]
