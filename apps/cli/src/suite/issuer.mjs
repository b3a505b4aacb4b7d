// The issuer of the suite's tokens: serves a key set over TLS, as staging requires.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const read = (name) => readFileSync(`/etc/airlock-suite/${name}`);
const jwks = read('jwks.json');

createServer({ cert: read('issuer.pem'), key: read('issuer.key') }, (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(jwks);
}).listen(443);
