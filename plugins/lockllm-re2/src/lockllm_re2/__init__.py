"""lockllm-re2: an operator's own regular expressions as a scanner, matched by RE2 in time linear in the text."""

from lockllm_re2.rules import Rule, RuleFile, read
from lockllm_re2.scanner import Re2Scanner

__all__ = ["Re2Scanner", "Rule", "RuleFile", "read"]
