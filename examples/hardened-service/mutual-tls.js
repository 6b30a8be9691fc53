'use strict';

// TLS between the services: each shows its certificate, and knows the other by its SPIFFE ID.

const { once } = require('node:events');
const https = require('node:https');
const { createSecureContext } = require('node:tls');

const { spiffeIdOf } = require('@nodesec/native');
const { record } = require('@nodesec/native/audit');

/** The longest time of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Makes the certificate of a workload that of a server, and each later one, without a restart.
 * Connections go on with the certificate with which they began.
 */
function present(server, workload) {
  const apply = () => workload.use((options) => server.setSecureContext(options));
  apply();
  workload.onRenewed(apply);
}

/** Options of a server that asks for certificates, and lets no client in without one. */
const MUTUAL = { requestCert: true, rejectUnauthorized: true };

/**
 * Closes connections of other workloads than those of `ids`, before their first request, and every
 * other connection when the certificate of its client expires.
 */
function admit(server, ids) {
  server.on('tlsClientError', ({ code }, { authorizationError }) => {
    // If a certificate was refused, the socket says why; the error, that the connection has ended.
    if (authorizationError) refused(authorizationError);
    // A client that only connects, such as the probe of a platform, has asked for nothing.
    else if (code !== 'ECONNRESET') refused(code);
  });
  server.on('secureConnection', (socket) => {
    const certificate = socket.getPeerX509Certificate();
    const { id, fault } = identify(certificate);
    if (!ids.includes(id)) {
      refused(fault ?? 'not-admitted', id);
      socket.destroy();
      return;
    }
    endWith(socket, certificate);
  });
}

function identify(certificate) {
  try {
    return { id: spiffeIdOf(certificate).uri };
  } catch (error) {
    return { fault: error.code };
  }
}

function refused(fault, peer = null) {
  record('peer.refused', { outcome: 'denied', fault, peer });
}

/** Ends a connection when the certificate expires by which its peer was let in. */
function endWith(socket, certificate) {
  const left = Date.parse(certificate.validTo) - Date.now();
  const timer = setTimeout(() => socket.destroy(), Math.min(Math.max(left, 0), LONGEST_MS)).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** Makes the function that sends requests to one workload, known by its SPIFFE ID. */
function requester(workload, peerId) {
  let agent = agentOf(workload, peerId);
  workload.onRenewed(() => {
    const old = agent;
    agent = agentOf(workload, peerId);
    // Requests that run end on their connections, the others are closed.
    old.maxFreeSockets = 0;
    for (const socket of Object.values(old.freeSockets).flat()) socket.destroy();
  });

  async function request(url, { method = 'GET', headers = {}, body } = {}) {
    const sent = https.request(url, { agent, method, headers, signal: AbortSignal.timeout(5_000) });
    sent.end(body);
    const [response] = await once(sent, 'response');
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode, body: text };
  }

  request.close = () => agent.destroy();
  return request;
}

function agentOf(workload, peerId) {
  return new https.Agent({
    keepAlive: true,
    maxSockets: 4,
    maxCachedSessions: 0,
    secureContext: workload.use(createSecureContext),
    // In place of the check of the host name, which the certificate of a workload need not have.
    checkServerIdentity(host, { raw }) {
      const { id } = identify(raw);
      return id === peerId ? undefined : new Error(`the server is not ${peerId}`);
    },
  });
}

module.exports = { MUTUAL, admit, present, requester };
