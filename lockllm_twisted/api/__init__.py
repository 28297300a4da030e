"""The resources beside the proxy: ``/v1/scan`` and ``/health``."""
