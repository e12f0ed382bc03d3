"""The image's health check: is the service alive? In Python's standard library alone, since the image has no curl."""

import os
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

port = (
    Path(os.environ["PORT_FILE"]).read_text().strip() if "PORT_FILE" in os.environ else os.environ.get("PORT", "3000")
)
try:
    urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
except (URLError, OSError) as error:
    sys.exit(f"unhealthy: {error}")
