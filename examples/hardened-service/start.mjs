// Runs the example on this machine until Ctrl-C, and prints its address:
//
//   node examples/hardened-service/start.mjs [--framework express|fastify] [--port N] [--data DIR]
//
// The browser does not know the authority of the certificate, and warns once.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { runServices } from './platform/run.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    framework: { type: 'string', default: 'express' },
    port: { type: 'string', default: '8443' },
  },
});

const port = Number(values.port);
if (!/^\d+$/.test(values.port) || port > 65_535) {
  console.error('--port must be a number from 0 to 65535; 0 takes a free one');
  process.exit(1);
}

const home = values.data ?? mkdtempSync(path.join(tmpdir(), 'hardened-service-'));
try {
  const { accounts, stop, trail, url } = await runServices({
    framework: values.framework,
    home: path.resolve(home),
    port,
  });
  console.log(`listening on ${url}`);
  console.log(`the audit trail is in ${accounts.log}`);
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  await Promise.race([interrupted, accounts.ended, trail.ended]);
  await stop();
  for (const { errors } of [accounts, trail]) if (errors()) console.error(errors());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  if (values.data === undefined) rmSync(home, { recursive: true, force: true });
}
