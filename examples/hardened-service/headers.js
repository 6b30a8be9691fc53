'use strict';

// The options of helmet and of @fastify/helmet, which are the same. Headers that are not named here
// are helmet's own, such as Strict-Transport-Security.

/** Nothing but the page's own files, no inline code, no frames around it, no forms elsewhere. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
    trustedTypes: ["'none'"],
  },
};

module.exports = { helmetOptions: { contentSecurityPolicy, xFrameOptions: { action: 'deny' } } };
