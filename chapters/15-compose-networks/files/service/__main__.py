"""Start the app: python -m service"""

import logging

from service import create_app
from service.settings import load_settings

logging.basicConfig(level=logging.INFO, format="%(message)s")
settings = load_settings()
# Connects in the background, and logs when the connection is made or lost.
app = create_app(settings.database_url, settings.greeting)
print(f"Server is running on port {settings.port}")
# In a container, 127.0.0.1 is the container itself: a published port does not reach it.
app.run(host="0.0.0.0", port=settings.port)
