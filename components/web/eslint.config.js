// Types are the compiler's matter (`npm run types`); these rules find mistakes that are well typed.

import js from '@eslint/js';
import globals from 'globals';

/** The page's Content-Security-Policy requires trusted types, so these would throw. */
const HTML_SINKS = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTMLUnsafe'];

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'array-callback-return': 'error',
      'consistent-return': 'error',
      eqeqeq: 'error',
      'no-implicit-coercion': 'error',
      'no-restricted-properties': ['error', ...HTML_SINKS.map((property) => ({ property }))],
      'no-self-compare': 'error',
      'no-shadow': 'error',
      'no-template-curly-in-string': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unused-expressions': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-useless-assignment': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['assets/**'], languageOptions: { globals: globals.browser } },
  { files: ['tests/**', '*.config.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];
