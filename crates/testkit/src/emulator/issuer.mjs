// Serves oauth2-mock-server with two more routes: one makes keys, one signs.
// Arguments: the library's file, the port.
import { pathToFileURL } from 'node:url';

const [library, port] = process.argv.slice(2);
const { OAuth2Server } = await import(pathToFileURL(library).href);
const server = new OAuth2Server();
const { issuer, service } = server;

service.addRoute('POST', '/keys', async (request, response) => {
  await issuer.keys.generate(request.body.alg, { kid: request.body.kid });
  response.end();
});

service.addRoute('POST', '/mint', async (request, response) => {
  const { kid, claims } = request.body;
  const only = (_header, payload) => {
    for (const name of Object.keys(payload)) delete payload[name];
    Object.assign(payload, claims);
  };
  response.setHeader('content-type', 'text/plain');
  const token = await issuer.buildToken({ kid, scopesOrTransform: only });
  response.setHeader('content-length', Buffer.byteLength(token));
  response.end(token);
});

await server.start(Number(port), '127.0.0.1');
