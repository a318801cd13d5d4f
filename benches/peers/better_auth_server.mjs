// better-auth as its documentation sets it up: e-mail and password, Postgres by pg, and
// its plugin for bearer tokens. Its limits are off, which is in its favour.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { availableParallelism } from "node:os";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";
import pg from "pg";

const port = Number(process.env.PORT);
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: "secret-of-a-server-that-is-measured",
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 }),
  emailAndPassword: { enabled: true },
  plugins: [bearer()],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};

if (cluster.isPrimary) {
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  for (let cores = availableParallelism(); cores > 0; cores -= 1) cluster.fork();
} else {
  createServer(toNodeHandler(betterAuth(options))).listen(port, "127.0.0.1");
}
