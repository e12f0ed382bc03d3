"""A database for benchmarks: answers MongoDB's wire protocol with documents made in advance, after a delay.

It stores nothing. Its answers cost little, so that a benchmark measures the service and not the database.
https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import argparse
import asyncio
import struct
from datetime import UTC, datetime
from functools import cache
from typing import Any

import bson
from bson import Int64, ObjectId

HEADER = struct.Struct("<iiii")  # length, id, id of the request that is answered, kind of message
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
COLLECTION = "flask-mongo-app.users"
HANDSHAKE = {"hello", "ismaster", "isMaster"}
USERS = [
    {"_id": ObjectId(f"{number:024x}"), "name": f"User {number}", "email": f"user{number}@example.org"}
    for number in range(10**9 + 101, 10**9, -1)  # newest first
]


def answer(command: dict[str, Any]) -> dict[str, Any]:
    """The database's answer to a command."""
    name = next(iter(command))
    if name in HANDSHAKE:
        return _hello()
    if name == "find":
        return {"cursor": {"firstBatch": _found(command), "id": Int64(0), "ns": COLLECTION}, "ok": 1.0}
    if name in {"count", "insert"}:
        return {"n": len(USERS) if name == "count" else 1, "ok": 1.0}
    if name in {"ping", "create", "createIndexes", "endSessions"}:
        return {"ok": 1.0}
    return {"ok": 0.0, "code": 59, "codeName": "CommandNotFound", "errmsg": f"the stub has no {name}"}


def _hello() -> dict[str, Any]:
    return {
        "helloOk": True,
        "ismaster": True,
        "isWritablePrimary": True,
        "maxBsonObjectSize": 16 * 1024**2,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "localTime": datetime.now(UTC),
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": 0,
        "maxWireVersion": 25,  # MongoDB 8.0
        "readOnly": False,
        "ok": 1.0,
    }


def _found(command: dict[str, Any]) -> list[dict[str, Any]]:
    if isinstance(command.get("filter", {}).get("_id"), ObjectId):
        return USERS[:1]
    return USERS[: command.get("limit") or len(USERS)]


@cache
def _documents(limit: int, one: bool) -> bytes:
    filters = {"_id": USERS[0]["_id"]} if one else {}
    return bson.encode(answer({"find": "users", "limit": limit, "filter": filters}))


def _encoded(command: dict[str, Any]) -> bytes:
    if "find" in command:  # the large one, so it is encoded only once
        return _documents(command.get("limit", 0), isinstance(command.get("filter", {}).get("_id"), ObjectId))
    return bson.encode(answer(command))


def reply(message: bytes) -> bytes:
    """The answer to a whole message of the wire protocol."""
    _, request, _, kind = HEADER.unpack_from(message)
    if kind == OP_QUERY:  # a driver's first message; after flags, the collection's name and two numbers
        begin = message.index(b"\0", HEADER.size + 4) + 9
        length = int.from_bytes(message[begin : begin + 4], "little")
        body = _encoded(bson.decode(message[begin : begin + length]))
        kind, start = OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1)
    else:  # after flags, sections; the first one has the command
        begin = HEADER.size + 5
        length = int.from_bytes(message[begin : begin + 4], "little")
        body = _encoded(bson.decode(message[begin : begin + length]))
        start = bytes(5)
    return HEADER.pack(HEADER.size + len(start) + len(body), 0, request, kind) + start + body


class Connection(asyncio.Protocol):
    """A driver's connection."""

    def __init__(self, delay: float) -> None:
        self.delay = delay  # seconds
        self.data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for mypy
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while len(self.data) >= 4 and len(self.data) >= (length := int.from_bytes(self.data[:4], "little")):
            message = bytes(self.data[:length])
            del self.data[:length]
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, reply(message))


async def serve(port: int, delay: float) -> None:
    """Serve on this machine alone, until the process ends.

    Args:
        port: the port to listen on.
        delay: seconds between a command and its answer.
    """
    server = await asyncio.get_running_loop().create_server(lambda: Connection(delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("port", type=int)
    arguments.add_argument("delay", type=float, help="seconds")
    given = arguments.parse_args()
    asyncio.run(serve(given.port, given.delay))
