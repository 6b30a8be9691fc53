'use strict';

// Options of a route: `config.nodesec`, whose members replace options of a plugin.

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');
const { refusal } = require('../web/refusal.js');

/** The members of `config.nodesec`, and the plugin of each. */
const PLUGINS = {
  auth: 'authentication',
  crossOrigin: 'crossOrigin',
  limit: 'rateLimiting',
  login: 'loginThrottling',
};
/** By member: the plugin that was registered last, as a property that child scopes inherit. */
const LAST = Object.fromEntries(
  Object.keys(PLUGINS).map((member) => [member, Symbol.for(`@nodesec/native: ${member} of a scope`)]),
);
const SEEN = Symbol.for('@nodesec/native: routes to check');
const CHECKED = Symbol.for('@nodesec/native: routes of a scope are checked');

/**
 * Has Fastify check the routes of a scope, of its children and of the whole app that are declared
 * from here on. A route that names a plugin which is not there would be open, so it is an error
 * before the server listens.
 */
function checkRoutes(instance) {
  const app = appOf(instance);
  if (app[SEEN] === undefined) {
    app[SEEN] = [];
    app.addHook('onReady', async () => {
      for (const { scope, route, given } of app[SEEN].splice(0)) assertRegistered(scope, route, given);
    });
  }
  // A scope has the hooks that its parent had when the scope was made.
  for (const scope of new Set([app, instance])) {
    if (Object.hasOwn(scope, CHECKED)) continue;
    scope[CHECKED] = true;
    scope.addHook('onRoute', function onRoute({ method, url, config }) {
      app[SEEN].push({ scope: this, route: `${method} ${url}`, given: configOf(config) });
    });
  }
}

/** The app of which a scope is a part. */
function appOf(instance) {
  const parent = Object.getPrototypeOf(instance);
  return typeof parent?.addHook === 'function' ? appOf(parent) : instance;
}

/** Throws if a route's options name a plugin that its scope lacks. */
function assertRegistered(scope, route, given) {
  const lacking = Object.keys(given).find(
    (member) => given[member] !== false && given[member] !== undefined && scope[LAST[member]] === undefined,
  );
  if (lacking === undefined) return;
  throw makeError(
    'ERR_INVALID_ARG_VALUE',
    `${route} has config.nodesec.${lacking}: register ${PLUGINS[lacking]} in its scope`,
  );
}

/** As {@link assertRegistered}, for the request to a route that was declared too early. */
function assertGuarded(scope, route, given) {
  try {
    assertRegistered(scope, route, given);
  } catch (error) {
    throw refusal(500, {}, error);
  }
}

/** The object `config.nodesec` of a route, with known members only. */
function configOf(config) {
  const given = config?.nodesec;
  if (given === undefined) return {};
  if (given === null || typeof given !== 'object') throw wrongType('config.nodesec', 'a plain object');
  const unknown = Object.keys(given).find((member) => !Object.hasOwn(PLUGINS, member));
  if (unknown === undefined) return given;
  const names = Object.keys(PLUGINS).join(', ');
  throw makeError(
    'ERR_UNKNOWN_OPTION',
    `unknown member "${unknown.slice(0, 40)}" of config.nodesec; the members are ${names}`,
  );
}

/** The options of a plugin, with those of routes in their place. */
class RouteOptions {
  #options;
  #member;
  #compile;
  #plain;
  #own;
  #byConfig = new WeakMap();

  /**
   * `compile` makes of options the object to ask; a route cannot have those that `own` names. The
   * plugin becomes the last one of `instance`. It checks the routes that are declared from here on;
   * earlier ones are checked when they are asked for.
   */
  constructor(instance, member, options, compile, own = []) {
    this.#plain = compile(options);
    this.#options = { ...options };
    this.#member = member;
    this.#compile = compile;
    this.#own = own;
    instance[LAST[member]] = this;
    const routes = this;
    instance.addHook('onRoute', function onRoute({ config }) {
      if (routes.isLastOf(this)) routes.#of(config);
    });
  }

  /** Whether a scope has an own plugin of this kind already. */
  static isIn(instance, member) {
    return Object.hasOwn(instance, LAST[member]);
  }

  /** Whether no other plugin of this kind was registered after this one. */
  isLastOf(scope) {
    return scope[LAST[this.#member]] === this;
  }

  /** The object to ask for a request, undefined if its route has opted out. */
  of(request) {
    const { config, url } = request.routeOptions;
    if (config?.nodesec === undefined) return this.#plain;
    assertGuarded(request.server, url, configOf(config));
    if (this.isLastOf(request.server)) return this.#of(config);
    return configOf(config)[this.#member] === false ? undefined : this.#plain;
  }

  #of(config) {
    const given = configOf(config)[this.#member];
    if (given === undefined || given === true) return this.#plain;
    if (given === false) return undefined;
    if (given === null || typeof given !== 'object') {
      throw wrongType(`config.nodesec.${this.#member}`, 'true, false or a plain object');
    }
    let made = this.#byConfig.get(given);
    if (made === undefined) {
      made = this.#compile({ ...this.#options, ...this.#given(given) });
      this.#byConfig.set(given, made);
    }
    return made;
  }

  /** The options of a route, without those that are left out. */
  #given(options) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const refused = given.find(([name]) => this.#own.includes(name))?.[0];
    if (refused === undefined) return Object.fromEntries(given);
    const message = `option "${refused}" is for the plugin ${PLUGINS[this.#member]}, not for a route`;
    throw makeError('ERR_UNKNOWN_OPTION', message);
  }
}

module.exports = { RouteOptions, checkRoutes, configOf };
