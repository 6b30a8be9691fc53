'use strict';

const { declareJwks } = require('../web/jwks.js');
const { thrownError } = require('../web/refusal.js');

const read = declareJwks('express.jwks');

function jwks(options) {
  const { answer } = read(options);
  return function jwks(req, res, next) {
    let made;
    try {
      made = answer(req);
    } catch (error) {
      next(thrownError(error));
      return;
    }
    res.statusCode = made.status;
    for (const name of Object.keys(made.headers)) res.setHeader(name, made.headers[name]);
    res.end(made.body);
  };
}

module.exports = { jwks };
