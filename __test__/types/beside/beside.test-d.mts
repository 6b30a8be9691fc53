// express-oauth2-jwt-bearer declares `req.auth` in every program that imports it. A program may
// use both, if it leaves out @nodesec/native/express/augment.

import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import type { JwtVerifier } from '@nodesec/native';
import { authenticate, type Authentication } from '@nodesec/native/express';

declare const verifier: JwtVerifier;

const app = express();
app.use('/theirs', auth({ issuerBaseURL: 'https://id.example', audience: 'api' }), requiredScopes('read'));
app.get('/theirs', (req, res) => void res.send(req.auth?.payload.sub));
app.use('/ours', authenticate({ verifier }));
app.get('/ours', (req, res) => {
  const { claims } = (req as unknown as { auth: Authentication }).auth;
  res.send(claims.sub);
});
