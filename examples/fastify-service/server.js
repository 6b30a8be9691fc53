'use strict';

// The entry point, with the options of ../auth-service/server.js:
//
//   node examples/fastify-service/server.js [--port N] [--data DIR] [--workers N] [--proxies N]

const { serve } = require('../auth-service/serve.js');
const { createApp } = require('./app.js');

serve('fastify-service', async (parts, address) => {
  const app = await createApp(parts);
  await app.listen(address);
  return { server: app.server, close: () => app.close() };
});
