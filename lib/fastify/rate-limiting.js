'use strict';

const { isPromise } = require('node:util').types;

const { oneOf } = require('../options.js');
const { addFields, exposeFields } = require('../web/adding.js');
const { declareLimiting } = require('../web/limiting.js');
const { plugin, stateOf } = require('./plugin.js');
const { RouteOptions } = require('./routes.js');
const { Trust } = require('./trust.js');

const limitingOf = declareLimiting('fastify.rateLimiting', { hook: oneOf(['onRequest', 'preHandler']) });

const rateLimiting = plugin('rateLimiting', (instance, options) => {
  const trust = new Trust(instance);
  const made = [];
  const compile = (given) => {
    const limits = limitingOf(given);
    if (limits.usesAddress) trust.assertKnown();
    made.push(limits);
    return limits;
  };
  const routes = new RouteOptions(instance, 'limit', options, compile, ['hook']);
  const [{ hook }] = made;
  instance.addHook(hook, async (request, reply) => {
    const limits = routes.of(request);
    if (limits === undefined) return undefined;
    const isOpen = limits.usesAddress && trust.isOpenTo(request);
    let answer = limits.ask(request, reply.raw, reply, isOpen);
    if (isPromise(answer)) answer = await answer;
    // Another hook, such as one for timeouts, may have answered meanwhile.
    if (answer === undefined || reply.sent) return undefined;
    stateOf(request).limit = answer.result;
    setFields(request, reply, answer.fields);
    if (answer.problem === undefined) return undefined;
    return refuse(limits.handler, request, reply, answer);
  });
  // Units that are given back may be on their way to another machine.
  instance.addHook('onClose', async () => {
    await Promise.all(made.map((limits) => limits.settled()));
  });
});

function setFields(request, reply, fields) {
  const get = (name) => reply.getHeader(name);
  const set = (name, value) => reply.header(name, value);
  addFields(fields, get, set);
  // Scripts of other origins see no other fields.
  const { origin } = request.headers;
  if (origin !== undefined) exposeFields(fields, get, set);
}

/** Answers, or has the application answer; a request that is refused never goes on. */
async function refuse(handler, request, reply, { problem, result }) {
  const { status, body } = problem;
  reply.code(status);
  const own = await handler?.(request, reply, result);
  if (reply.sent) return reply;
  if (own !== undefined && own !== reply) return reply.send(own);
  return reply.header('Content-Type', 'application/problem+json').send(JSON.stringify(body));
}

module.exports = { rateLimiting };
