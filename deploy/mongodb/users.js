// Makes MongoDB's users match the secrets. start.sh runs it on a server without authentication, scripts/secrets on
// the one that serves the app.
const { readFileSync } = require("fs");
const { hostname } = require("os");

const lines = (name) => readFileSync(`/run/secrets/${name}`, "utf8").trim().split("\n");
const [rootPassword] = lines("mongodb_root_password");
const wanted = lines("database_url").map((line) => new URL(line));
const name = wanted[0].pathname.slice(1);

const server = process.env.STARTING ? "127.0.0.1:27018" : `${hostname()}:27017`;
const root = process.env.STARTING ? "" : `root:${rootPassword}@`;
const admin = connect(`mongodb://${root}${server}/admin`);
const database = admin.getSiblingDB(name);

function ensure(db, user, pwd, roles) {
  if (db.getUser(user)) db.updateUser(user, { pwd, roles });
  else db.createUser({ user, pwd, roles });
}

ensure(admin, "root", rootPassword, ["root"]);
for (const { username, password } of wanted) {
  ensure(database, username, password, ["readWrite"]);
  connect(`mongodb://${username}:${password}@${server}/${name}`); // throws if the login is refused
}
// The app's user alternates between two. Drop whichever the secrets no longer name.
for (const user of ["app-a", "app-b"]) {
  if (!wanted.some(({ username }) => username === user) && database.getUser(user)) database.dropUser(user);
}
