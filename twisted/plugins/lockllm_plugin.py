"""Makes ``twistd lockllm`` known; nothing else belongs here."""

from twisted.application.service import ServiceMaker

lockllm = ServiceMaker("LockLLM", "lockllm_twisted.tap", "A scanning proxy for LLM APIs.", "lockllm")
