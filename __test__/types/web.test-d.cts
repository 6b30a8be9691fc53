// The middleware as CommonJS.

import express = require('express');
import fastify = require('fastify');
import native = require('@nodesec/native');
import middleware = require('@nodesec/native/express');
import plugins = require('@nodesec/native/fastify');
import web = require('@nodesec/native/web');

declare const verifier: native.JwtVerifier;
const limiter = new native.RateLimiter({ limit: 1, windowMs: 1000 });

express().use(middleware.authenticate({ verifier }), middleware.rateLimit({ limiter }));
void fastify().register(plugins.authentication, { verifier }).register(plugins.rateLimiting, { limiter });
web.challenge().headers satisfies Readonly<Record<string, string>>;
