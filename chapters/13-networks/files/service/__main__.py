"""Start the app: python -m service"""

from service import create_app, database
from service.settings import load_settings

settings = load_settings()
app = create_app(settings.database_url, settings.greeting)
with app.app_context():
    print(database.look())
print(f"Server is running on port {settings.port}")
# In a container, 127.0.0.1 is the container itself: a published port does not reach it.
app.run(host="0.0.0.0", port=settings.port)
