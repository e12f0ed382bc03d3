// The health check of mongodb: can the app's user log in? By the container's name, not localhost, which also
// reaches the server on which start.sh creates the users.
const { readFileSync } = require("fs");
const { hostname } = require("os");

const [url] = readFileSync("/run/secrets/database_url", "utf8").split("\n");
connect(url.replace("@mongodb:", `@${hostname()}:`)).runCommand({ ping: 1 });
