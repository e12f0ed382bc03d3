"""The same requests as the service's, in FastAPI with PyMongo's asynchronous client."""

import json
import os
import sys
import time
import uuid
from datetime import datetime

from bson import ObjectId
from fastapi import FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient

app = FastAPI()
users = AsyncMongoClient(os.environ["DATABASE_URL"]).get_default_database()["users"]


class NewUser(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern="^[^@ ]+@[^@ ]+$", max_length=254)


class User(NewUser):
    id: str
    created_at: datetime


class Page(BaseModel):
    users: list[User]
    next: str | None
    total: int


class Log:
    """One line per request. Plain ASGI: the framework's own kind of middleware costs far more."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, request_id = time.perf_counter(), uuid.uuid4().hex

        async def send_and_log(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", request_id.encode()))
                line = {
                    "request_id": request_id,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": message["status"],
                    "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                }
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()
            await send(message)

        await self.app(scope, receive, send_and_log)


if os.environ.get("LOG") != "off":
    app.add_middleware(Log)


@app.get("/", response_class=PlainTextResponse)
async def greeting():
    return "Ram Ram bhai Sareya Ne"


@app.get("/users")
async def index() -> Page:
    found = await users.find().sort("_id", -1).limit(51).to_list()
    following = str(found[49]["_id"]) if len(found) > 50 else None
    total = await users.estimated_document_count()
    return Page(users=[members(user) for user in found[:50]], next=following, total=total)


@app.get("/users/{user_id}")
async def read(user_id: str) -> User:
    user = await users.find_one({"_id": ObjectId(user_id)})
    if user is None:
        raise HTTPException(404)
    return members(user)


@app.post("/users", status_code=201)
async def create(new: NewUser) -> User:
    user = new.model_dump()
    await users.insert_one(user)
    return members(user)


def members(user) -> User:
    return User(id=str(user["_id"]), name=user["name"], email=user["email"], created_at=user["_id"].generation_time)
