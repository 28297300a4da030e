"""A pass-through proxy as people write it: the row that the others are compared with. ``aiohttp_proxy.py PORT UPSTREAM``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, TCPConnector, web

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}
SESSION = web.AppKey("session", ClientSession)
UPSTREAM = sys.argv[2] if len(sys.argv) > 2 else ""


async def session(app: web.Application) -> AsyncIterator[None]:
    app[SESSION] = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)
    yield
    await app[SESSION].close()


async def relay(request: web.Request) -> web.StreamResponse:
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
    async with request.app[SESSION].request(
        request.method, UPSTREAM + request.raw_path, headers=headers, data=await request.read(), allow_redirects=False
    ) as answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                response.headers.add(name, value)
        response.content_length = answer.content_length
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response


if __name__ == "__main__":
    application = web.Application(client_max_size=1 << 30)
    application.cleanup_ctx.append(session)
    application.router.add_route("*", "/{tail:.*}", relay)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
