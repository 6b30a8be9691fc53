'use strict';

// The ids and secrets of the calls that provoke events, and the parts that several calls use.

const { JwtIssuer, JwtKey, JwtVerifier, SecretBuffer } = require('@nodesec/native');

const SECRET = 'k3y-material-that-no-event-may-repeat';
const PASSWORD = 'correct horse battery staple';
const FAST = { memoryCost: 64, timeCost: 1, parallelism: 1 };
const SUBJECT = 'ada@example.com';

const key = JwtKey.fromSecret(Buffer.from(SECRET), { alg: 'HS256' });
const issuer = new JwtIssuer({ keys: key, expiresIn: '5m' });
const verifier = new JwtVerifier({ keys: key, issuer: false, audience: false });

/** The secret as the key of a store or a server. */
function secretKey() {
  return SecretBuffer.from(Buffer.from(SECRET));
}

/** A client of Redis that gives these replies, and throws those that are errors. */
function replying(replies) {
  const send = async () => {
    const reply = replies.shift();
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { send };
}

module.exports = { FAST, PASSWORD, SECRET, SUBJECT, issuer, key, replying, secretKey, verifier };
