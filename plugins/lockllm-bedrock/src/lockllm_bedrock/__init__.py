"""lockllm-bedrock: Amazon Bedrock as a provider, its requests signed with the operator's AWS credentials.

Read ``plugin`` first: it is the entry point, and makes the one ``BedrockProvider`` of ``provider`` from the settings.
"""

from lockllm_bedrock.provider import BedrockProvider
from lockllm_bedrock.settings import BedrockSettings, Limits

__all__ = ["BedrockProvider", "BedrockSettings", "Limits"]
