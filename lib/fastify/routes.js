'use strict';

// Options of a route: `config.nodesec`, whose members replace options of a plugin.

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');

/** The members of `config.nodesec`, and the plugin of each. */
const PLUGINS = { auth: 'authentication', limit: 'rateLimiting', login: 'loginThrottling' };
/** By member: the plugin that was registered last, as a property that child scopes inherit. */
const LAST = Object.fromEntries(
  Object.keys(PLUGINS).map((member) => [member, Symbol.for(`@nodesec/native: ${member} of a scope`)]),
);
const CHECKED = Symbol.for('@nodesec/native: routes of a scope are checked');

/**
 * Has Fastify check the routes of a scope and of its children, once. A route that names a plugin
 * which is not there would be open, so it is an error before the server listens.
 */
function checkRoutes(instance) {
  if (instance[CHECKED]) return;
  instance[CHECKED] = true;
  const seen = [];
  instance.addHook('onRoute', function onRoute({ method, url, config }) {
    const given = configOf(config);
    const members = Object.keys(given).filter((member) => given[member]);
    for (const member of members) seen.push({ scope: this, route: `${method} ${url}`, member });
  });
  instance.addHook('onReady', async () => {
    for (const { scope, route, member } of seen.splice(0)) {
      if (scope[LAST[member]] !== undefined) continue;
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${route} has config.nodesec.${member}: register ${PLUGINS[member]} in its scope`,
      );
    }
  });
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
    const { config } = request.routeOptions;
    if (config?.nodesec === undefined) return this.#plain;
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
