"""The same requests as the service's, the way most tutorials write them in Flask."""

import json
import logging
import os
import sys
import time
import uuid

from bson import ObjectId
from flask import Flask, abort, g, request
from pydantic import BaseModel, Field
from pymongo import MongoClient

app = Flask(__name__)
logging.getLogger("werkzeug").setLevel("WARNING")  # Flask's own server would log each request a second time
users = MongoClient(os.environ["DATABASE_URL"]).get_default_database()["users"]


class NewUser(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern="^[^@ ]+@[^@ ]+$", max_length=254)


@app.before_request
def start():
    g.started = time.perf_counter()
    g.request_id = uuid.uuid4().hex


@app.after_request
def log(response):
    response.headers["X-Request-ID"] = g.request_id
    if os.environ.get("LOG") != "off":
        line = {
            "request_id": g.request_id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.started) * 1000, 1),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return response


@app.get("/")
def greeting():
    return "Ram Ram bhai Sareya Ne", {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/users")
def index():
    found = list(users.find().sort("_id", -1).limit(51))
    following = str(found[49]["_id"]) if len(found) > 50 else None
    return {
        "users": [members(user) for user in found[:50]],
        "next": following,
        "total": users.estimated_document_count(),
    }


@app.get("/users/<user_id>")
def read(user_id):
    user = users.find_one({"_id": ObjectId(user_id)})
    return members(user) if user else abort(404)


@app.post("/users")
def create():
    user = NewUser.model_validate_json(request.get_data()).model_dump()
    users.insert_one(user)
    return members(user), 201


def members(user):
    return {
        "id": str(user["_id"]),
        "name": user["name"],
        "email": user["email"],
        "created_at": user["_id"].generation_time.isoformat(),
    }
