"""The sandbox as an ASGI app: its routes, and how a request becomes an answer.

Requests are carried out one after another, each in one transaction that is committed before its answer is sent. Only
waiting (a delay asked for) lets another request in between.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caspen_xero.sandbox.books.wire import not_found
from caspen_xero.sandbox.exchange import BadRequest, Exchange, Handler, json_answer
from caspen_xero.sandbox.front import gateway
from caspen_xero.sandbox.front.control import Control
from caspen_xero.sandbox.front.local import LocalXero
from caspen_xero.sandbox.front.visitors import Visitors
from caspen_xero.sandbox.identity import openid, signin
from caspen_xero.sandbox.identity.unauthorised import Refused
from caspen_xero.sandbox.pages.pages import Pages
from caspen_xero.sandbox.seam import ApiAnswer
from caspen_xero.sandbox.trouble.faults import INTERNAL_ERROR, Fault, instead_of_answer

Endpoint = Callable[[Request], Awaitable[Response]]
CORRELATION = "Xero-Correlation-Id"
LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a request. A thousand invoices are a few million."""

CONNECTIONS = ("/connections", "/Connections", "/connections/", "/Connections/")
ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# The connections open at the moment, by the client's address: ASGI has no way to end one without an answer.
Connections = dict[tuple[str, int], asyncio.BaseTransport]


def create_app(xero: LocalXero, connections: Connections | None = None, host: str = "127.0.0.1") -> Starlette:
    """The whole sandbox as an ASGI app, listened to on `host`. Without `connections` a dropped connection is a status 500."""
    front = _Front(xero, connections if connections is not None else {})
    control, pages = Control(xero), Pages(xero.api, xero.tenants, xero.log)
    sign_in, open_id = xero.sign_in, xero.open_id

    def watched(path: str, handler: Handler, *methods: str) -> Route:
        return Route(path, front.watched(handler), methods=list(methods))

    def own(path: str, handler: Handler, *methods: str) -> Route:
        return Route(path, front.own(handler), methods=list(methods))

    return Starlette(
        routes=[
            Route(gateway.BASE + "{path:path}", front.api, methods=ANY_METHOD),
            watched(openid.DISCOVERY, open_id.discovery, "GET"),
            watched(openid.KEYS, open_id.keys, "GET"),
            watched(openid.AUTHORISE, sign_in.authorise, "GET"),
            watched(signin.CONSENT, sign_in.consent, "POST"),
            watched(openid.TOKEN, sign_in.token, "POST"),
            watched(openid.REVOCATION, sign_in.revocation, "POST"),
            watched(openid.USER_INFO, open_id.user_info, "GET", "POST"),
            *(watched(path, sign_in.connections, "GET") for path in CONNECTIONS),
            watched("/connections/{connection_id}", sign_in.disconnect, "DELETE"),
            watched("/Connections/{connection_id}", sign_in.disconnect, "DELETE"),
            *(own(path, handler, method) for method, path, handler in control.routes()),
            own("/sandbox/{path:path}", control.unknown, *ANY_METHOD),
            *(own(path, handler, method) for method, path, handler in pages.routes()),
            watched("/{path:path}", lambda exchange: not_found(), *ANY_METHOD),
        ],
        exception_handlers={ClientDisconnect: _gone},
        middleware=[Middleware(_Marked, xero=xero), Middleware(_Guarded, visitors=Visitors(host))],
    )


class _Marked:
    """Every answer, errors too, has an id of its own, and tells the time by the sandbox's clock, unless that is switched off."""

    def __init__(self, app: ASGIApp, xero: LocalXero) -> None:
        self.app, self.xero = app, xero

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[CORRELATION] = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
                if self.xero.settings.now.date_header:
                    headers["Date"] = format_datetime(self.xero.clock.now(), usegmt=True)
            await send(message)

        await self.app(scope, receive, send_marked)


class _Guarded:
    """Nobody gets in who may not, whatever was asked for."""

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self.app, self.visitors = app, visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self.visitors.refusal(_headers(scope))
        await (self.app if refusal is None else _response(refusal))(scope, receive, send)


class _Front:
    """Turns requests into exchanges, lets faults strike, keeps the log, and sends answers."""

    def __init__(self, xero: LocalXero, connections: Connections) -> None:
        self.xero, self.connections = xero, connections

    def own(self, handler: Handler) -> Endpoint:
        """A page or control of the sandbox: no faults, no log."""

        async def endpoint(request: Request) -> Response:
            exchange = await _read(request)
            try:
                with self.xero.transaction():
                    return _response(handler(exchange))
            except BadRequest as problem:
                return _response(json_answer({"error": str(problem)}, 400))

        return endpoint

    def watched(self, handler: Handler) -> Endpoint:
        """A part of Xero's sign-in."""

        async def endpoint(request: Request) -> Response:
            exchange = await _read(request)
            fault = self.xero.faults.strike(exchange.method, exchange.url)
            return await self._carried_out(request, exchange, fault, lambda: _signed_in(handler, exchange, fault))

        return endpoint

    async def api(self, request: Request) -> Response:
        """A request below `/api.xro/2.0/`; it counts as under way from its arrival to its answer."""
        exchange = await _read(request)
        fault = self.xero.faults.strike(exchange.method, exchange.url)
        door = self.xero.gateway
        if fault is not None and (fault.kind == "drop-before" or instead_of_answer(fault, exchange) is not None):
            return await self._carried_out(request, exchange, fault, lambda: INTERNAL_ERROR)
        try:
            admission = door.admit(exchange, fault)
        except Refused as refused:
            refusal = refused.answer
            return await self._carried_out(request, exchange, fault, lambda: refusal)
        try:
            await asyncio.sleep(0)  # lets those that arrived meanwhile be counted as under way too
            return await self._carried_out(request, exchange, fault, lambda: door.answer(admission, exchange, fault))
        finally:
            door.leave(admission)

    async def _carried_out(
        self, request: Request, exchange: Exchange, fault: Fault | None, work: Callable[[], ApiAnswer]
    ) -> Response:
        kind = fault.kind if fault else None
        if kind == "drop-before":
            self._note(exchange, None, kind)
            return await self._drop(request)
        if fault and kind == "delay":
            await asyncio.sleep(_seconds(fault))
        with self.xero.transaction():
            answer = instead_of_answer(fault, exchange) or work()
            self.xero.log.add(exchange, None if kind == "drop-after" else answer, kind)
        if fault and kind == "delay-after":
            await asyncio.sleep(_seconds(fault))
        if kind == "drop-after":
            return await self._drop(request)
        return _response(_halved(answer) if kind == "truncate" else answer)

    def _note(self, exchange: Exchange, answer: ApiAnswer | None, fault: str | None) -> None:
        with self.xero.transaction():
            self.xero.log.add(exchange, answer, fault)

    async def _drop(self, request: Request) -> Response:
        """Closes the connection; the response given back can't reach anybody any more."""
        transport = self.connections.get(tuple(request.scope["client"] or ()))
        if transport is not None:
            transport.close()
            with suppress(ClientDisconnect):
                while (await request.receive())["type"] != "http.disconnect":
                    pass
        return _response(INTERNAL_ERROR)


async def _gone(request: Request, error: Exception) -> Response:
    """For a client that went away while it was still sending; nobody reads this."""
    return Response(status_code=400)


async def _read(request: Request) -> Exchange:
    """The whole request. Raises `HTTPException` 413 for a body that nobody could mean."""
    scope, body = request.scope, bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    query = scope["query_string"].decode("latin-1")
    return Exchange(request.method, scope["path"], query, _headers(scope), bytes(body), request.path_params)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _response(answer: ApiAnswer) -> Response:
    """The answer as it goes out; an empty content type stays away."""
    response = Response(answer.body, answer.status, dict(answer.headers))
    if answer.content_type:
        response.headers["Content-Type"] = answer.content_type
    return response


def _signed_in(handler: Handler, exchange: Exchange, fault: Fault | None) -> ApiAnswer:
    """What a part of the sign-in answers, internal errors asked for included."""
    if fault is not None and fault.kind == "500-before":
        return INTERNAL_ERROR
    try:
        answer = handler(exchange)
    except Refused as refused:
        answer = refused.answer
    return INTERNAL_ERROR if fault is not None and fault.kind == "500-after" else answer


def _halved(answer: ApiAnswer) -> ApiAnswer:
    return ApiAnswer(answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.headers)


def _seconds(fault: Fault) -> float:
    return 1.0 if fault.seconds is None else fault.seconds
