// The article's app, with the same requests as the service's: Express and Mongoose.
// With WEB_CONCURRENCY above 1, a cluster of so many processes.
import cluster from "node:cluster";
import { randomUUID } from "node:crypto";
import express from "express";
import mongoose from "mongoose";

const { DATABASE_URL, LOG, PORT, WEB_CONCURRENCY = "1" } = process.env;

const User = mongoose.model("User", new mongoose.Schema(
  {
    name: { type: String, required: true, maxlength: 100 },
    email: { type: String, required: true, maxlength: 254, match: /^[^@ ]+@[^@ ]+$/ },
  },
  { autoIndex: false, autoCreate: false, versionKey: false },
));

const members = ({ _id, name, email }) => (
  { id: _id.toString(), name, email, created_at: _id.getTimestamp().toISOString() }
);

function log(request, response, next) {
  const started = performance.now();
  const id = randomUUID();
  response.set("X-Request-ID", id);
  response.on("finish", () => {
    const duration = Math.round((performance.now() - started) * 10) / 10;
    process.stdout.write(`${JSON.stringify({
      request_id: id, method: request.method, path: request.path, status: response.statusCode, duration_ms: duration,
    })}\n`);
  });
  next();
}

async function serve() {
  const app = express();
  if (LOG !== "off") app.use(log);
  app.use(express.json());

  app.get("/", (request, response) => {
    response.type("text/plain").send("Ram Ram bhai Sareya Ne");
  });

  app.get("/users", async (request, response) => {
    const found = await User.find().sort({ _id: -1 }).limit(51).lean();
    const following = found.length > 50 ? found[49]._id.toString() : null;
    const total = await User.estimatedDocumentCount();
    response.json({ users: found.slice(0, 50).map(members), next: following, total });
  });

  app.get("/users/:id", async (request, response) => {
    const user = await User.findById(request.params.id).lean();
    if (user) response.json(members(user));
    else response.sendStatus(404);
  });

  app.post("/users", async (request, response) => {
    response.status(201).json(members(await User.create(request.body)));
  });

  await mongoose.connect(DATABASE_URL);
  app.listen(Number(PORT), "127.0.0.1");
}

if (cluster.isPrimary && Number(WEB_CONCURRENCY) > 1) {
  for (let n = 0; n < Number(WEB_CONCURRENCY); n += 1) cluster.fork();
} else {
  await serve();
}
