// Core rules only, because a plugin would be one more package to trust. Every rule that is on is an
// error. The reasons below explain relaxed rules.

const NODE_GLOBALS = Object.fromEntries(
  [
    'AbortController',
    'AbortSignal',
    'Buffer',
    'EventTarget',
    'Headers',
    'Response',
    'TextDecoder',
    'TextEncoder',
    'URL',
    'URLSearchParams',
    'clearImmediate',
    'clearInterval',
    'clearTimeout',
    'console',
    'fetch',
    'gc',
    'performance',
    'process',
    'queueMicrotask',
    'setImmediate',
    'setInterval',
    'setTimeout',
    'structuredClone',
  ].map((name) => [name, 'readonly']),
);

const COMMONJS_GLOBALS = Object.fromEntries(
  ['__dirname', '__filename', 'exports', 'module', 'require'].map((name) => [name, 'readonly']),
);

/** Rules against turning text into code, which no file may do. */
const NO_CODE_FROM_TEXT = ['no-eval', 'no-implied-eval', 'no-new-func', 'no-script-url'];

const LIKELY_MISTAKES = [
  'array-callback-return',
  'constructor-super',
  'for-direction',
  'getter-return',
  'no-async-promise-executor',
  'no-class-assign',
  'no-compare-neg-zero',
  'no-cond-assign',
  'no-const-assign',
  'no-constant-binary-expression',
  'no-constant-condition',
  'no-constructor-return',
  'no-control-regex',
  'no-debugger',
  'no-dupe-args',
  'no-dupe-class-members',
  'no-dupe-else-if',
  'no-dupe-keys',
  'no-duplicate-case',
  'no-duplicate-imports',
  'no-empty-character-class',
  'no-empty-pattern',
  'no-ex-assign',
  'no-fallthrough',
  'no-func-assign',
  'no-import-assign',
  'no-invalid-regexp',
  'no-irregular-whitespace',
  'no-loss-of-precision',
  'no-misleading-character-class',
  'no-new-native-nonconstructor',
  'no-obj-calls',
  'no-promise-executor-return',
  'no-prototype-builtins',
  'no-self-assign',
  'no-self-compare',
  'no-setter-return',
  'no-sparse-arrays',
  'no-template-curly-in-string',
  'no-this-before-super',
  'no-undef',
  'no-unmodified-loop-condition',
  'no-unreachable',
  'no-unreachable-loop',
  'no-unsafe-finally',
  'no-unsafe-negation',
  'no-unsafe-optional-chaining',
  'no-unused-private-class-members',
  'no-unused-vars',
  'no-useless-backreference',
  'no-useless-catch',
  'no-useless-escape',
  'require-yield',
  'use-isnan',
  'valid-typeof',
];

const HOUSE_STYLE = [
  'curly',
  'default-case-last',
  'eqeqeq',
  'no-caller',
  'no-delete-var',
  'no-else-return',
  'no-empty',
  'no-extend-native',
  'no-extra-bind',
  'no-global-assign',
  'no-lonely-if',
  'no-new-wrappers',
  'no-octal',
  'no-param-reassign',
  'no-proto',
  'no-redeclare',
  'no-return-assign',
  'no-sequences',
  'no-shadow-restricted-names',
  'no-throw-literal',
  'no-unneeded-ternary',
  'no-unused-expressions',
  'no-unused-labels',
  'no-useless-computed-key',
  'no-useless-concat',
  'no-useless-constructor',
  'no-useless-rename',
  'no-useless-return',
  'no-var',
  'no-with',
  'object-shorthand',
  'prefer-const',
  'prefer-object-spread',
  'prefer-promise-reject-errors',
  'prefer-rest-params',
  'prefer-spread',
  'prefer-template',
  'symbol-description',
];

const rules = Object.fromEntries(
  [...NO_CODE_FROM_TEXT, ...LIKELY_MISTAKES, ...HOUSE_STYLE].map((rule) => [rule, 'error']),
);

// A statement may stand without braces on the line of its `if`; a longer one needs braces.
rules.curly = ['error', 'multi-line'];
// Two things may stay unused: a caught error, and a property that is named only to exclude it from
// a rest object.
rules['no-unused-vars'] = ['error', { caughtErrors: 'none', ignoreRestSiblings: true }];

export default [
  { ignores: ['target/', 'dist/', 'npm/', '**/*.d.ts'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { ecmaVersion: 2024, globals: NODE_GLOBALS },
    rules,
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: { ...NODE_GLOBALS, ...COMMONJS_GLOBALS } },
    rules: { strict: ['error', 'global'] },
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' } },
];
