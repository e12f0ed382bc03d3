"""Start the app: python -m service"""

from service import create_app, look_for_database
from service.settings import load_settings

settings = load_settings()
print(look_for_database(settings.database_url))
print(f"Server is running on port {settings.port}")
# In a container, 127.0.0.1 is the container itself: a published port does not reach it.
create_app(settings.greeting).run(host="0.0.0.0", port=settings.port)
