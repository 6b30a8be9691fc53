'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PasswordHasher, SecretBuffer, hash, hashSync, parseHash } = require('@nodesec/native');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');

const FAST = { profile: 'test' };
const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);
const BCRYPT = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

const keyidOf = (digest) => parseHash(digest).keyid?.toString();

test('hashes and verifies text, bytes and secrets', async () => {
  const hasher = new PasswordHasher(FAST);
  const digest = await hasher.hash('right');
  assert.match(digest, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  for (const password of ['right', Buffer.from('right'), SecretBuffer.fromString('right')]) {
    assert.equal(await hasher.verify(digest, password), true);
    assert.deepEqual(await hasher.verifyAndUpdate(digest, password), { valid: true });
    assert.equal(await hasher.verify(await hasher.hash(password), 'right'), true);
  }
  assert.equal(await hasher.verify(digest, 'wrong'), false);
  assert.deepEqual(await hasher.verifyAndUpdate(digest, 'wrong'), { valid: false });
  assert.equal(hasher.needsRehash(digest), false);
});

test('without a policy it is the default one', () => {
  assert.equal(new PasswordHasher().needsRehash(hashSync('password')), false);
});

test('a pepper is added, then replaced, as users log in', async () => {
  const plain = new PasswordHasher(FAST);
  const first = new PasswordHasher({ ...FAST, peppers: { current: 'k1', keys: { k1: OLD } } });
  const second = new PasswordHasher({
    ...FAST,
    peppers: { current: 'k2', keys: { k1: OLD, k2: NEW } },
  });
  const digests = [await plain.hash('right')];
  for (const hasher of [first, second]) {
    assert.equal(hasher.needsRehash(digests.at(-1)), true);
    const { valid, newDigest } = await hasher.verifyAndUpdate(digests.at(-1), 'right');
    assert.equal(valid, true);
    assert.equal(hasher.needsRehash(newDigest), false);
    assert.deepEqual(await hasher.verifyAndUpdate(newDigest, 'right'), { valid: true });
    digests.push(newDigest);
  }
  assert.deepEqual(digests.map(keyidOf), [undefined, 'k1', 'k2']);
  for (const digest of digests) {
    assert.equal(await second.verify(digest, 'right'), true);
    assert.equal(await second.verify(digest, 'wrong'), false);
    assert.deepEqual(await second.verifyAndUpdate(digest, 'wrong'), { valid: false });
  }
});

test('a pepper that is gone is the operator’s fault', async () => {
  const peppers = { current: 'k1', keys: { k1: OLD } };
  const digest = await new PasswordHasher({ ...FAST, peppers }).hash('right');
  for (const hasher of [
    new PasswordHasher(FAST),
    new PasswordHasher({ ...FAST, peppers: { current: 'k2', keys: { k2: NEW } } }),
  ]) {
    await assert.rejects(hasher.verify(digest, 'right'), coded('ERR_PASSWORD_PEPPER'));
    await assert.rejects(hasher.verifyAndUpdate(digest, 'right'), coded('ERR_PASSWORD_PEPPER'));
    assert.equal(hasher.needsRehash(digest), true);
  }
  await assert.rejects(new PasswordHasher(FAST).verify(digest, 'right'), /peppers\.keys/);
});

test('peppers are the hasher’s own once it is made', async () => {
  const [bytes, secret] = [Buffer.from(OLD), SecretBuffer.from(NEW)];
  const hasher = new PasswordHasher({
    ...FAST,
    peppers: { current: 'b', keys: { a: bytes, b: secret } },
  });
  const digest = await hasher.hash('right');
  bytes.fill(0);
  secret.dispose();
  assert.equal(await hasher.verify(digest, 'right'), true);
  const a = new PasswordHasher({ ...FAST, peppers: { current: 'a', keys: { a: OLD } } });
  assert.equal(await hasher.verify(await a.hash('right'), 'right'), true);
  const disposed = { ...FAST, peppers: { current: 'b', keys: { b: secret } } };
  assert.throws(() => new PasswordHasher(disposed), coded('ERR_SECRET_DISPOSED'));
});

test('an id of a pepper is any text of 1 to 8 bytes', async () => {
  for (const id of ['1', '12345678', 'é', '🐎🐎', '__proto__', 'a b']) {
    const keys = Object.defineProperty({}, id, { value: OLD });
    if (Buffer.byteLength(id) > 8) {
      const options = { ...FAST, peppers: { current: id, keys } };
      assert.throws(() => new PasswordHasher(options), coded('ERR_OUT_OF_RANGE'));
      continue;
    }
    const hasher = new PasswordHasher({ ...FAST, peppers: { current: id, keys } });
    assert.equal(keyidOf(await hasher.hash('right')), id);
  }
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, OLD]));
  assert.throws(
    () => new PasswordHasher({ ...FAST, peppers: { current: 'k0', keys: many } }),
    coded('ERR_OUT_OF_RANGE'),
  );
  assert.throws(
    () => new PasswordHasher({ ...FAST, peppers: { current: 'k2', keys: { k1: OLD } } }),
    coded('ERR_INVALID_ARG_VALUE'),
  );
});

test('a secret is the pepper of digests that name none', async () => {
  const digest = await hash('right', { ...FAST, secret: OLD });
  const same = new PasswordHasher({ ...FAST, secret: OLD });
  assert.equal(await same.verify(digest, 'right'), true);
  assert.equal(same.needsRehash(digest), false);
  assert.equal(await new PasswordHasher(FAST).verify(digest, 'right'), false);
  const moving = new PasswordHasher({
    ...FAST,
    secret: SecretBuffer.from(OLD),
    peppers: { current: 'k1', keys: { k1: NEW } },
  });
  const { valid, newDigest } = await moving.verifyAndUpdate(digest, 'right');
  assert.equal(valid, true);
  assert.equal(keyidOf(newDigest), 'k1');
});

test('nobody’s password is never right', async () => {
  const peppers = { current: 'k1', keys: { k1: OLD } };
  for (const hasher of [new PasswordHasher(FAST), new PasswordHasher({ ...FAST, peppers })]) {
    for (const digest of [null, undefined, BCRYPT]) {
      for (const password of ['', 'right', new Uint8Array(32)]) {
        assert.deepEqual(await hasher.verifyAndUpdate(digest, password), { valid: false });
      }
    }
    for (const digest of [null, undefined]) {
      await assert.rejects(hasher.verify(digest, 'right'), coded('ERR_INVALID_ARG_TYPE'));
    }
    await assert.rejects(hasher.verifyAndUpdate('', 'right'), coded('ERR_PASSWORD_DIGEST'));
  }
});

test('with atLeast, a stronger digest is not due', async () => {
  const policy = { memoryCost: 128, timeCost: 2, parallelism: 2, hashLength: 32, saltLength: 16 };
  const exact = new PasswordHasher(policy);
  const atLeast = new PasswordHasher({ ...policy, policy: 'atLeast' });
  for (const [name, less, more] of [
    ['memoryCost', 127, 129],
    ['timeCost', 1, 3],
    ['parallelism', 1, 3],
    ['hashLength', 31, 33],
    ['saltLength', 15, 17],
  ]) {
    for (const [value, weaker] of [[less, true], [more, false]]) {
      const digest = hashSync('right', { ...policy, [name]: value });
      assert.equal(exact.needsRehash(digest), true, `${name} ${value}`);
      assert.equal(atLeast.needsRehash(digest), weaker, `${name} ${value}`);
      const { valid, newDigest } = await atLeast.verifyAndUpdate(digest, 'right');
      assert.equal(valid, true);
      assert.equal(newDigest !== undefined, weaker, `${name} ${value}`);
    }
  }
  for (const change of [{ type: 'argon2i' }, { version: 0x10 }, { timeCost: 9, memoryCost: 127 }]) {
    assert.equal(atLeast.needsRehash(hashSync('right', { ...policy, ...change })), true);
  }
  const newer = new PasswordHasher({ ...policy, version: 0x10, policy: 'atLeast' });
  assert.equal(newer.needsRehash(hashSync('right', policy)), false);
});

test('a policy beyond the default ceilings verifies its own', async () => {
  const costly = { memoryCost: 1024, timeCost: 65, parallelism: 65 };
  const hasher = new PasswordHasher({ ...costly, limits: { memoryCost: 64, timeCost: 1 } });
  const digest = await hasher.hash('right');
  assert.equal(await hasher.verify(digest, 'right'), true);
  const others = new PasswordHasher(FAST);
  await assert.rejects(others.verify(digest, 'right'), coded('ERR_PASSWORD_LIMIT'));
  for (const beyond of ['m=1025,t=65,p=65', 'm=1024,t=66,p=65', 'm=1024,t=65,p=66']) {
    const planted = digest.replace('m=1024,t=65,p=65', beyond);
    await assert.rejects(hasher.verify(planted, 'right'), coded('ERR_PASSWORD_LIMIT'));
  }
});

test('every method refuses the extremes', async () => {
  const legacy = ['bcrypt', 'scrypt', 'pbkdf2', 'django'];
  const hasher = new PasswordHasher({ ...FAST, legacy });
  const rest = 'c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA';
  const tag = 'AAAAAAAAAAAAAAAAAAAAAA';
  for (const [digest, code] of [
    [`$argon2id$v=19$m=4294967295,t=1,p=1$${rest}`, 'ERR_PASSWORD_LIMIT'],
    [`$argon2id$v=19$m=134217720,t=1,p=16777215$${rest}`, 'ERR_PASSWORD_LIMIT'],
    [`argon2$argon2id$v=19$m=4294967295,t=1,p=1$${rest}`, 'ERR_PASSWORD_LIMIT'],
    [BCRYPT.replace('$05$', '$31$'), 'ERR_PASSWORD_LIMIT'],
    [`bcrypt_sha256$${BCRYPT.replace('$05$', '$17$')}`, 'ERR_PASSWORD_LIMIT'],
    [`$scrypt$ln=63,r=4294967295,p=4294967295$c2FsdA$${tag}`, 'ERR_PASSWORD_LIMIT'],
    [`$scrypt$ln=20,r=9,p=1$c2FsdA$${tag}`, 'ERR_PASSWORD_LIMIT'],
    [`$scrypt$ln=20,r=7,p=3$c2FsdA$${tag}`, 'ERR_PASSWORD_LIMIT'],
    [`scrypt$2147483648$seasalt$8$1$${tag}==`, 'ERR_PASSWORD_LIMIT'],
    [`$pbkdf2-sha256$i=4294967295$c2FsdA$${tag}`, 'ERR_PASSWORD_LIMIT'],
    [`$pbkdf2-sha512$10000001$c2FsdA$${tag}`, 'ERR_PASSWORD_LIMIT'],
    [`pbkdf2_sha256$10000001$seasalt$${tag}==`, 'ERR_PASSWORD_LIMIT'],
    [`$argon2id$${'x'.repeat(1 << 20)}`, 'ERR_PASSWORD_DIGEST'],
    [`$2b$${'x'.repeat(1 << 20)}`, 'ERR_PASSWORD_DIGEST'],
    [`pbkdf2_sha256$1$${'x'.repeat(1 << 20)}`, 'ERR_PASSWORD_DIGEST'],
    ['md5 seasalt 3f86d0d3d465b7b458c231bf3555c0e3', 'ERR_PASSWORD_DIGEST'],
  ]) {
    const start = digest.slice(0, 60);
    await assert.rejects(hasher.verify(digest, 'right'), coded(code), start);
    await assert.rejects(hasher.verifyAndUpdate(digest, 'right'), coded(code), start);
    if (code === 'ERR_PASSWORD_LIMIT') assert.equal(hasher.needsRehash(digest), true, start);
    else assert.throws(() => hasher.needsRehash(digest), coded(code), start);
  }
  const huge = Buffer.alloc(100 << 20, 'x');
  for (const password of [huge, huge.toString('latin1')]) {
    await assert.rejects(hasher.hash(password), coded('ERR_OUT_OF_RANGE'));
    for (const digest of [null, BCRYPT, hashSync('right', FAST)]) {
      await assert.rejects(hasher.verifyAndUpdate(digest, password), coded('ERR_OUT_OF_RANGE'));
    }
    await assert.rejects(hasher.verify(BCRYPT, password), coded('ERR_OUT_OF_RANGE'));
  }
  for (const memoryCost of [-1, 2 ** 32, (4 << 20) + 1, 1.5]) {
    assert.throws(() => new PasswordHasher({ memoryCost }), coded('ERR_OUT_OF_RANGE'));
  }
});

test('at the ceilings it does the work', async () => {
  const limits = { memoryCost: 64, bcryptCost: 5, scryptWork: 512, pbkdf2Iterations: 1212 };
  const legacy = ['bcrypt', 'scrypt', 'pbkdf2'];
  const hasher = new PasswordHasher({ ...FAST, legacy, limits });
  const scrypt = (ln) => `$scrypt$ln=${ln},r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA`;
  const pbkdf2 = '$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI';
  assert.equal(await hasher.verify(BCRYPT, 'U*U'), true);
  assert.equal(await hasher.verify(scrypt(9), 'right'), false);
  assert.equal(await hasher.verify(pbkdf2, 'password'), true);
  for (const digest of [
    BCRYPT.replace('$05$', '$06$'),
    scrypt(10),
    pbkdf2.replace('1212', '1213'),
  ]) {
    await assert.rejects(hasher.verify(digest, 'right'), coded('ERR_PASSWORD_LIMIT'));
  }
});

test('the password may be changed once a method has been called', async () => {
  const hasher = new PasswordHasher({ ...FAST, legacy: ['bcrypt'] });
  const bytes = Buffer.from('U*U');
  const updating = hasher.verifyAndUpdate(BCRYPT, bytes);
  bytes.fill(0);
  const { valid, newDigest } = await updating;
  assert.equal(valid, true);
  assert.equal(await hasher.verify(newDigest, 'U*U'), true);
});

test('an AbortSignal calls every method off', async () => {
  const hasher = new PasswordHasher({ profile: 'owasp', timeCost: 64, legacy: ['bcrypt'] });
  const digest = hashSync('right', FAST);
  const calls = {
    hash: (options) => hasher.hash('right', options),
    verify: (options) => hasher.verify(digest, 'right', options),
    verifyAndUpdate: (options) => hasher.verifyAndUpdate(digest, 'right', options),
    'verifyAndUpdate without a digest': (options) => hasher.verifyAndUpdate(null, 'right', options),
    'verifyAndUpdate of bcrypt': (options) => hasher.verifyAndUpdate(BCRYPT, 'U*U', options),
  };
  for (const [name, call] of Object.entries(calls)) {
    const reason = new Error('the client went away');
    const cause = (error) => coded('ABORT_ERR')(error) && error.cause === reason;
    await assert.rejects(call({ signal: AbortSignal.abort(reason) }), cause, name);
    const controller = new AbortController();
    const running = call({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(running, cause, name);
  }
});

test('the test profile is refused in production', async () => {
  const script = `
    const { PasswordHasher } = require('@nodesec/native');
    try { new PasswordHasher({ profile: 'test' }) } catch ({ code }) { console.log(code) }
  `;
  const { stdout } = await runScript(script, { env: { NODE_ENV: 'production' } });
  assert.equal(stdout, 'ERR_PASSWORD_PROFILE\n');
});

test('prints nothing of itself', () => {
  const hasher = new PasswordHasher({ ...FAST, secret: Buffer.from('a pepper to be kept') });
  const { inspect } = require('node:util');
  assert.equal(inspect(hasher, { showHidden: true, depth: 9 }), 'PasswordHasher {}');
  assert.equal(JSON.stringify(hasher), '{}');
});
