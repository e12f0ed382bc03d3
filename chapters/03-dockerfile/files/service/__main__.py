"""Start the app: python -m service"""

import os

from dotenv import load_dotenv

from service import create_app, look_for_database

load_dotenv(".env")  # the environment takes precedence over .env
port = int(os.environ.get("PORT", "3000"))
print(look_for_database(os.environ.get("DATABASE_URL", "mongodb://localhost:27017/flask-mongo-app")))
print(f"Server is running on port {port}")
# In a container, 127.0.0.1 is the container itself: a published port does not reach it.
create_app().run(host="0.0.0.0", port=port)
