"""The official SDKs as clients of the running service: black box, over real sockets."""
