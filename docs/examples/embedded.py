"""LockLLM under /llm of a site that has other things to do: python embedded.py, then ask 127.0.0.1:8080/llm/health."""

import sys
from pathlib import Path

from twisted.internet import endpoints, reactor
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.static import Data

from lockllm_twisted import LockLLMResource, Settings

log.startLogging(sys.stdout)
root = Resource()
root.putChild(b"", Data(b"the site's own page\n", "text/plain"))
root.putChild(b"llm", LockLLMResource(Settings(state=Path(sys.argv[1] if len(sys.argv) > 1 else "lockllm-state"))))

site = Site(root, parsePOSTFormSubmission=False)
port = sys.argv[2] if len(sys.argv) > 2 else "8080"
endpoints.serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1").listen(site)
reactor.run()
